"""Calls per second."""

from collections.abc import Callable


class TokenBucket:
    """Lets `rate` calls per second start, and up to `burst` at once after a pause."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """`rate` is over 0, `burst` at least 1."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_at = clock()

    def wait(self, ahead: int = 0) -> float:
        """Seconds until a call may start that has so many `ahead` of it; 0 for now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return max(0.0, (ahead + 1 - self._tokens) / self._rate)

    @property
    def is_full(self) -> bool:
        """Whether as many calls may start as ever."""
        self.wait()
        return self._tokens >= self._burst

    def take(self) -> None:
        """Count a call that starts."""
        self._tokens -= 1.0

    def give_back(self) -> None:
        """Take back the count of a call that did not start after all."""
        self._tokens += 1.0
