"""Which request is struck by what."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from .fault import Fault

AT_ACCEPT: Final = frozenset({Fault.RESET_ON_ACCEPT, Fault.CLOSE_ON_ACCEPT})
"""What strikes before anything is read."""

AT_HEAD: Final = frozenset({Fault.RESET_BEFORE_BODY, Fault.EARLY_REFUSAL})
"""What strikes before the body is read."""


class Plan(Protocol):
    """Decides when asked, in the order of what happens."""

    def on_accept(self) -> Fault:
        """One of `AT_ACCEPT`, or `NONE`: what happens to a new connection."""

    def on_head(self) -> Fault:
        """One of `AT_HEAD`, or `NONE`: what happens to a request of which only the head has come."""

    def on_request(self, marker: str, attempt: int) -> Fault:
        """Any other: what happens to the `attempt`-th request (from 1) with `marker`."""


class Script:
    """One fault after the other, in the given order, one for each request or new connection; then none."""

    def __init__(self, *faults: Fault) -> None:
        self._faults = deque(faults)

    def on_accept(self) -> Fault:
        return self._faults.popleft() if self._faults and self._faults[0] in AT_ACCEPT else Fault.NONE

    def on_head(self) -> Fault:
        return self._faults.popleft() if self._faults and self._faults[0] in AT_HEAD else Fault.NONE

    def on_request(self, marker: str, attempt: int) -> Fault:
        return self._faults.popleft() if self._faults else Fault.NONE


class Always:
    """The same for each request."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def on_accept(self) -> Fault:
        return self._fault if self._fault in AT_ACCEPT else Fault.NONE

    def on_head(self) -> Fault:
        return self._fault if self._fault in AT_HEAD else Fault.NONE

    def on_request(self, marker: str, attempt: int) -> Fault:
        return self._fault


@dataclass(frozen=True)
class Storm:
    """Of every `every` requests the first `length` fail, those at the very beginning apart."""

    every: int
    length: int

    def rages(self, request: int) -> bool:
        return request >= self.every and request % self.every < self.length


class Seeded:
    """Strikes a share of the requests. What strikes follows from the seed, the marker and the number of the attempt; before the
    marker is read, from the number of the connection or request."""

    def __init__(
        self, seed: int, share: float, weights: Mapping[Fault, float], storm: Storm | None = None, calm: int = 0
    ) -> None:
        """`share`: 0 to 1. `weights`: how often each fault strikes, in relation to the others. The first `calm` requests are
        spared."""
        self._seed = seed
        self._calm = calm
        self._storm = storm
        total = sum(weights.values())
        self._odds = {fault: share * weight / total for fault, weight in weights.items()}
        self._requests = 0
        self._connections = 0

    def on_accept(self) -> Fault:
        self._connections += 1
        return self._drawn(f"connection {self._connections}", {fault: self._odds.get(fault, 0) for fault in sorted(AT_ACCEPT)})

    def on_head(self) -> Fault:
        self._requests += 1
        return self._drawn(f"request {self._requests}", {fault: self._odds.get(fault, 0) for fault in sorted(AT_HEAD)})

    def on_request(self, marker: str, attempt: int) -> Fault:
        if self._storm is not None and self._storm.rages(self._requests):
            return Fault.FAILED
        rest = {fault: odds for fault, odds in self._odds.items() if fault not in AT_ACCEPT | AT_HEAD}
        return self._drawn(f"{marker} {attempt}", rest)

    def _drawn(self, what: str, odds: Mapping[Fault, float]) -> Fault:
        if self._requests < self._calm:
            return Fault.NONE
        digest = hashlib.sha256(f"{self._seed} {what}".encode()).digest()
        left = int.from_bytes(digest[:6]) / 2**48
        for fault, probability in odds.items():
            left -= probability
            if left < 0:
                return fault
        return Fault.NONE
