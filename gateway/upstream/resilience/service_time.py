"""How long calls take."""

import math
from collections.abc import Callable
from typing import Final

_SMOOTHING: Final = 0.1
_RISE: Final = 0.05
_HALF_LIFE: Final = 30.0


class ServiceTime:
    """What the latest calls took, in seconds; 0 while nothing is known.

    What is read halves with every 30 s since the last call. It decides which calls are refused for want of time, and if such a
    decision could refuse all of them, nothing would ever correct it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._mean = 0.0
        self._quick = 0.0
        self._known_at: float | None = None

    @property
    def mean(self) -> float:
        """The exponentially weighted mean: how fast a queue moves."""
        return self._mean * self._freshness()

    @property
    def quick(self) -> float:
        """What a quick call took; operations differ, and only what is under this is too little time for any of them."""
        return self._quick * self._freshness()

    def observe(self, seconds: float) -> None:
        """Count a call that was answered."""
        if self._known_at is None:
            self._mean = self._quick = seconds
        else:
            self._mean += _SMOOTHING * (seconds - self._mean)
            # Falls at once and rises slowly: of a mixture, it stays with the quick ones.
            self._quick = min(seconds, self._quick + _RISE * (seconds - self._quick))
        self._known_at = self._clock()

    def _freshness(self) -> float:
        if self._known_at is None:
            return 1.0
        return math.exp2((self._known_at - self._clock()) / _HALF_LIFE)
