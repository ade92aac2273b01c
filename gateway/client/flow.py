"""How a stream of pictures runs: how much of it at once, and what happens when its call breaks."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.client.session import DEFAULT_WINDOW
from gateway.errors import GatewayError, Reason

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class StreamFlow:
    """How much of a stream is under way, and how often it is taken up again.

    `window`: items, 1 or more, that are taken from the caller whose outcomes have not been taken. Beyond it the iterable waits:
    that, and no more, is held in memory. `resumptions`: calls, 0 or more, that are made in a row to go on with a stream that
    breaks, without an answer in between. Sent again is only what the gateway cannot have worked on: what was not yet sent, and,
    where the gateway says that it stops, what it has not answered, since it answers all that it accepted before it says so.
    Raises `ValueError` for anything else.
    """

    window: int = DEFAULT_WINDOW
    resumptions: int = 4

    def __post_init__(self) -> None:
        if self.window < 1 or self.resumptions < 0:
            msg = f"a window of 1 or more and 0 or more resumptions are possible, not {self.window} and {self.resumptions}"
            raise ValueError(msg)


ONE_CALL: Final = StreamFlow(resumptions=0)
"""A stream that ends with its call."""


class Resumption:
    """Counts the calls of one stream that broke, and waits between them."""

    def __init__(
        self,
        allowed: int,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`allowed` in a row. `draw`: a number from 0 to 1, so that not all clients of a gateway come back at once."""
        self._allowed = allowed
        self._sleep = sleep
        self._draw = draw
        self._broken = 0

    def progressed(self) -> None:
        """An answer came: the gateway, or another one, is there."""
        self._broken = 0

    async def granted(self, failure: GatewayError) -> bool:
        """Whether another call is to be made after one that ended with `failure`; waits until it is time, in seconds:
        what `failure` asks for, or up to twice as long as the last time (gRFC A6)."""
        if self._broken >= self._allowed or failure.reason not in {Reason.UNAVAILABLE, Reason.SHUTTING_DOWN}:
            return False
        longest = min(_FIRST_PAUSE_SECONDS * 2**self._broken, _LONGEST_PAUSE_SECONDS)
        self._broken += 1
        await self._sleep(max(failure.retry_after or 0.0, longest * self._draw()))
        return True


def is_rejection(failure: GatewayError) -> bool:
    """Whether a gateway that ends a stream so has answered all that it accepted of it."""
    return failure.reason is Reason.SHUTTING_DOWN
