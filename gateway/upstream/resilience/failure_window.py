"""What share of the latest calls failed."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_PARTS: Final = 10


@dataclass(slots=True)
class _Part:
    number: int
    calls: int = 0
    failures: int = 0


class FailureWindow:
    """Counts results for a while, in tenths of it: constant memory and time, and a result is forgotten up to a tenth early."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._part_seconds = seconds / _PARTS
        self._clock = clock
        self._parts: deque[_Part] = deque()

    def record(self, *, failed: bool) -> None:
        """Count a result."""
        self._forget()
        number = self._number()
        if not self._parts or self._parts[-1].number != number:
            self._parts.append(_Part(number))
        self._parts[-1].calls += 1
        self._parts[-1].failures += failed

    def totals(self) -> tuple[int, int]:
        """Calls and failures within the window."""
        self._forget()
        return sum(part.calls for part in self._parts), sum(part.failures for part in self._parts)

    def clear(self) -> None:
        """Forget everything."""
        self._parts.clear()

    def _forget(self) -> None:
        oldest = self._number() - _PARTS + 1
        while self._parts and self._parts[0].number < oldest:
            self._parts.popleft()

    def _number(self) -> int:
        return int(self._clock() // self._part_seconds)
