"""Everything that is known after a run."""

from collections import Counter
from dataclasses import dataclass

from tests.upstream.misbehaving.books import Books

from .footprint import Footprint
from .ledger import Ledger
from .questions import Questions


@dataclass(frozen=True, slots=True)
class Bill:
    """What the client counted, by requests: those that cost money, those that may, and those of the latter that seem to have met
    a closed connection."""

    requests: int
    surely: int
    maybe: int
    stale: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`shares`: answers to each tenant while there were no faults. `before`, `warm`, `after`: what the client's process held
    before there was a provider, when half of the calls had been made, and once the provider was closed. `seconds`: that the calls
    took."""

    title: str
    concurrency: int
    questions: Questions
    ledger: Ledger
    books: Books
    bill: Bill
    shares: Counter[str]
    before: Footprint
    warm: Footprint
    after: Footprint
    seconds: float

    @property
    def calls(self) -> int:
        return len(self.ledger.ends)
