"""How long to wait before the next attempt."""

import math
from collections.abc import Callable


class Backoff:
    """Exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"; botocore's standard mode).

    A random pause between nothing and the bound spreads callers that failed at the same instant over all of it.
    """

    def __init__(self, base: float, longest: float, random: Callable[[], float]) -> None:
        """The bound is `base` seconds before the first retry and doubles up to `longest`. `random`: from 0 up to 1."""
        self._base = base
        self._longest = longest
        self._random = random

    def delay(self, retry: int, retry_after: float | None = None) -> float | None:
        """Seconds before the retry of that number, from 1.

        `retry_after`, what the service asks for, is a lower bound; the random pause comes on top, so that not everybody who
        was told the same returns at the same instant. None if it is longer than the longest pause.
        """
        jitter = self._random() * min(self._longest, math.ldexp(self._base, retry - 1))
        if retry_after is None:
            return jitter
        return retry_after + jitter if retry_after <= self._longest else None
