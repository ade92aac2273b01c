"""The time as the cloud's machines have it: signatures made at any other time are refused as expired."""

import logging
from collections.abc import Callable
from typing import Final

from gateway.upstream.reply import HttpReply

_log = logging.getLogger(__name__)

TOLERANCE: Final = 60.0
"""Seconds of difference that are let be: the service itself tolerates 15 minutes, and replies take their time."""

LARGEST: Final = 86_400.0
"""Seconds of difference beyond which a reply is not believed: a clock that far off is for its owner to set."""


class CloudClock:
    """A clock, corrected by what the service's own replies say. Reading it is safe in any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds since the epoch as this machine has them."""
        self._clock = clock
        self._correction = 0.0
        self._told = False

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self._clock() + self._correction

    @property
    def correction(self) -> float:
        """Seconds by which this machine's clock is behind; negative if it is ahead, 0 as long as it is near enough."""
        return self._correction

    def learn(self, reply: HttpReply) -> bool:
        """Compare with the `Date` of a reply that has just come from the service itself; returns whether that set the clock."""
        theirs = reply.server_time
        if theirs is None or abs(theirs - self()) <= TOLERANCE or abs(theirs - self._clock()) > LARGEST:
            return False
        self._correction = theirs - self._clock()
        if not self._told:
            self._told = True
            direction = "behind" if self._correction > 0 else "ahead of"
            _log.warning("this machine's clock is %.0f s %s the cloud's; corrected for here", abs(self._correction), direction)
        return True
