"""The calls under way, counted by us: gRPC's own drain also waits for those that never end, such as health watches."""

import asyncio
import contextlib
from collections.abc import Iterator

from gateway.errors import GatewayError, Reason


class Calls:
    """Counts calls, and, once draining, admits no more."""

    def __init__(self) -> None:
        self._under_way = 0
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Count one call. Raises `GatewayError` with `SHUTTING_DOWN` while draining."""
        if self._draining:
            raise GatewayError(Reason.SHUTTING_DOWN, "this gateway is stopping; send the call again, to another one")
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Admit no more calls, and wait at most that long for those under way."""
        self._draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
