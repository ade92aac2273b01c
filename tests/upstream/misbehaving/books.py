"""What the server got, did and said."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Books:
    """Counts; those by marker are by what the request was about.

    `received`: requests that came whole. `billed`: those whose work was done. `denied`: those of them of which a status of 5xx
    said that it was not, and which are not paid for. `answered`: true replies that the client could
    read whole. `most_under_way`: requests worked on at once for clients that had not gone. `stray`: why requests could not be
    understood, each of them a fault of the client.
    """

    received: Counter[str] = field(default_factory=Counter)
    billed: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stray: list[str] = field(default_factory=list)
    sign_ins: int = 0
    connections: int = 0
    open_connections: int = 0
    most_under_way: int = 0

    def to_json(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        fields = json.loads(text)
        counters = {name: Counter(fields[name]) for name in ("received", "billed", "denied", "answered", "faults")}
        return cls(**fields | counters)
