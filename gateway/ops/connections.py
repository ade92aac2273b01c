"""Connections of the operators' port: few, and none for long."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, cast

MOST: Final = 64
SECONDS: Final = 15.0


class Connections:
    """Bounds what a server's connections cost. aiohttp gives them any time to send their headers.

    Each ends after a time, whatever it is at; beyond a number, the oldest makes room, so that whoever sends slowly on many
    keeps nobody out.
    """

    def __init__(self, *, most: int = MOST, seconds: float = SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._open: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._open)

    def bounded(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """A factory of protocols as `make` is one, whose connections are bounded."""
        return lambda: _Bounded(make(), self)

    def opened(self, transport: asyncio.Transport) -> None:
        """Count a connection."""
        if len(self._open) >= self._most:
            oldest = next(iter(self._open))
            self.closed(oldest)  # at once: that it is lost comes in a later turn, before which there may be many more
            oldest.abort()
        self._open[transport] = asyncio.get_running_loop().call_later(self._seconds, transport.abort)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget it."""
        if (limit := self._open.pop(transport, None)) is not None:
            limit.cancel()


class _Bounded(asyncio.Protocol):
    """Hands everything on to the protocol that does the work."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner = inner
        self._connections = connections
        self._closed: Callable[[], None] = lambda: None
        self.data_received = inner.data_received  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast("asyncio.Transport", transport)
        self._closed = partial(self._connections.closed, connection)
        self._connections.opened(connection)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()
        self._inner.connection_lost(exc)
