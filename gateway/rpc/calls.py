"""The calls under way, counted by us: gRPC's own drain also waits for those that never end, such as health watches."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.rpc.held import HeldBytes
from gateway.rpc.pace import Pace

_HELD_BYTES: Final = 512 << 20


class Calls:
    """Counts calls and what they hold, paces the items of streams, and, once closed, admits no more."""

    def __init__(self, *, max_held_bytes: int = _HELD_BYTES) -> None:
        self.held = HeldBytes(max_held_bytes)
        self.pace = Pace()
        self._under_way = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._stops: set[Callable[[], None]] = set()

    def check_open(self) -> None:
        """Raise `GatewayError` with `SHUTTING_DOWN` once closed."""
        if self._closed:
            raise GatewayError(Reason.SHUTTING_DOWN, "this gateway is stopping; send the call again, to another one")

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Count one call. Raises `GatewayError` with `SHUTTING_DOWN` once closed."""
        self.check_open()
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    @contextlib.contextmanager
    def interruptible(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have `stop` called when no more is admitted, if that happens inside: for calls that end only if they are asked to."""
        self._stops.add(stop)
        try:
            yield
        finally:
            self._stops.discard(stop)

    def close(self) -> None:
        """Admit no more calls, and ask those to stop that go on by themselves."""
        self._closed = True
        for stop in tuple(self._stops):
            stop()

    async def ended(self, seconds: float) -> bool:
        """Wait at most that long for those under way; whether they all ended."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True
