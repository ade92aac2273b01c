"""How many calls at once the cloud takes, found by trying."""

from collections.abc import Callable
from typing import Final

_DECREASE: Final = 0.7


class AdaptiveLimit:
    """Additive increase, multiplicative decrease (Chiu and Jain 1989; TCP's congestion avoidance, Netflix's concurrency-limits).

    Between `least` and `most` calls at once. Gateways that share one account come to equal shares of what it allows.
    """

    def __init__(self, least: int, most: int, clock: Callable[[], float]) -> None:
        self._least = float(least)
        self._most = float(most)
        self._clock = clock
        self._value = float(most)
        self._quiet_until = clock()

    @property
    def limit(self) -> int:
        """Calls at once that are allowed now."""
        return int(self._value)

    def bound(self, least: int, most: int) -> None:
        """From now on between `least` and `most`. After a throttle, a larger bound is come to by trying."""
        value = float(most) if self._value == self._most else self._value
        self._least, self._most = float(least), float(most)
        self._value = min(self._most, max(self._least, value))

    def succeeded(self, in_flight: int) -> None:
        """Count a success while so many calls were under way, itself included: one more is allowed after as many as the limit."""
        # A limit that is not made use of was not tried, and must not grow.
        if 2 * in_flight >= self._value:
            self._value = min(self._most, self._value + 1.0 / self._value)

    def throttled(self, cool_down: float) -> None:
        """Count a throttled call. Those of the next `cool_down` seconds started under the same limit and tell nothing new."""
        now = self._clock()
        if now >= self._quiet_until:
            self._value = max(self._least, self._value * _DECREASE)
            self._quiet_until = now + cool_down
