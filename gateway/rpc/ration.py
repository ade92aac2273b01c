"""So many a second of what strangers can cause without end, such as lines of a log."""

from collections.abc import Callable

from gateway.upstream.resilience.rate import TokenBucket


class Ration:
    """Lets some through, and counts what it leaves out."""

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float]) -> None:
        """`per_second`, over 0: on average; `at_once`, at least 1: after a pause. `clock` counts seconds."""
        self._bucket = TokenBucket(per_second, at_once, clock)
        self._left_out = 0

    def take(self) -> int | None:
        """How many were left out since the last that was let through; None if this one is to be left out, too."""
        if self._bucket.wait() > 0:
            self._left_out += 1
            return None
        self._bucket.take()
        left_out, self._left_out = self._left_out, 0
        return left_out
