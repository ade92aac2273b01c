"""Lines of the log about strangers' calls: so many a second, since whoever calls over and over without credentials is to fill no
disk."""

from collections.abc import Callable
from typing import Final

_PER_SECOND: Final = 1.0
_AT_ONCE: Final = 20


class Ration:
    """Lets some lines through, one a second and 20 after a pause, and counts what it leaves out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` counts seconds; if it is set back, that time does not count."""
        self._clock = clock
        self._left = float(_AT_ONCE)
        self._counted_at = clock()
        self._left_out = 0

    def take(self) -> int | None:
        """How many were left out since the last that was let through; None if this one is to be left out, too."""
        now = self._clock()
        self._left = min(_AT_ONCE, self._left + max(0.0, now - self._counted_at) * _PER_SECOND)
        self._counted_at = now
        if self._left < 1:
            self._left_out += 1
            return None
        self._left -= 1
        left_out, self._left_out = self._left_out, 0
        return left_out
