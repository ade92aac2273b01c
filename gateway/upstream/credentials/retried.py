"""A fetch that is made again where what went wrong may have passed a moment later."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from gateway.errors import GatewayError, Reason
from gateway.upstream.resilience.backoff import Backoff

PASSING: Final = frozenset({Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_THROTTLED})
"""Why a fetch may succeed a moment later. All else, refusals above all, is told at once."""

TRIES: Final = 3

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
"""Seconds: calls wait meanwhile."""

T = TypeVar("T")


class Retried(Generic[T]):
    """Fetches, up to `TRIES` times, with short random pauses, or the one that the service asks for if that is short, too."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        """`fetch` raises `GatewayError`; `sleep` waits for some seconds; `random` returns a number from 0 up to 1."""
        self._fetch = fetch
        self._sleep = sleep
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, random)

    async def fetch(self) -> T:
        """What was fetched. Raises the last `GatewayError`."""
        tries = 0
        while True:
            tries += 1
            try:
                return await self._fetch()
            except GatewayError as error:
                if tries == TRIES or error.reason not in PASSING:
                    raise
                pause = self._backoff.delay(tries, error.retry_after)
                if pause is None:
                    raise
            await self._sleep(pause)
