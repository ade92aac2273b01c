"""How far one exchange got, which aiohttp's exceptions do not tell: what was sent, and whether anything came back.

It decides whether a call may have been done, and billed, although no reply came.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from typing import Final

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

STALE_SECONDS: Final = 0.25
"""How long after its first byte a request may learn that its kept connection was closed before. The server's system answers that
byte with a reset, one round trip later, which is less than this between any two continents; what breaks later broke while the
server had the request, and may have worked on it."""

SLICE_BYTES: Final = 192 << 10
"""A body is sent in slices, between which other calls have their turn. aiohttp joins the first to the head, which copies it."""


class SlicedBody(aiohttp.Payload):
    """A body that is sent without a copy of the whole, and knows how much of it has been handed to the connection."""

    _autoclose = True  # holds nothing that needs closing

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._size = len(body)
        self.handed_over = 0

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text, as aiohttp's protocol for bodies wants it."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the whole."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Send the first `content_length` bytes."""
        body = memoryview(self._value)[:content_length]
        for start in range(0, len(body), SLICE_BYTES):
            piece = body[start : start + SLICE_BYTES]
            # Counted first: of a write that fails in the middle nobody knows how much went out.
            self.handed_over = start + len(piece)
            await writer.write(piece)


class Exchange:
    """One request on its way."""

    def __init__(self, body: SlicedBody | None, clock: Callable[[], float]) -> None:
        """`body` is None if it has none. `clock`: seconds from any instant on."""
        self._body = body
        self._clock = clock
        self._connection: _WatchedConnection | None = None
        self._begun_at = 0.0
        self._received_before = 0
        self._is_reused = False

    def begin(self, connection: "_WatchedConnection") -> None:
        """Note the connection that the request goes out on; called again if aiohttp itself tries another one (GET, HEAD)."""
        self._connection = connection
        self._begun_at = self._clock()
        self._received_before = connection.received
        self._is_reused = connection.requests > 0
        connection.requests += 1
        connection.exchange = self

    def finish(self) -> None:
        """Note that the reply came whole: whatever comes now on the connection nobody asked for."""
        connection = self._connection
        if connection is None or connection.exchange is not self:
            return  # aiohttp has lent it to another call already
        connection.rest()

    @property
    def is_connected(self) -> bool:
        """Whether there was a connection to send it on."""
        return self._connection is not None

    @property
    def may_be_whole(self) -> bool:
        """Whether the server may have the whole request. Less than that it cannot have worked on."""
        return self.is_connected and (self._body is None or self._body.handed_over == self._body.size)

    @property
    def is_answered(self) -> bool:
        """Whether a byte of a reply came."""
        return self._connection is not None and self._connection.received > self._received_before

    @property
    def is_stale(self) -> bool:
        """Whether the connection, which has broken just now, was probably closed before the request came to its other end.

        A reused one only, without a byte of a reply, and within `STALE_SECONDS`. A server that reads a request and breaks as soon
        as that looks the same; that it did work in such a short time is the doubt that is left.
        """
        return self._is_reused and not self.is_answered and self._clock() - self._begun_at < STALE_SECONDS


class _Generation:
    """How often a kept connection has turned out to be closed."""

    number = 0


class _WatchedConnection(ResponseHandler):
    """aiohttp's end of a connection, counting; `exchange` is the one under way on it."""

    def __init__(self, generation: _Generation, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.requests = 0
        self.received = 0
        self.exchange: Exchange | None = None
        self._generation = generation
        self._proved_in = generation.number

    def is_connected(self) -> bool:
        """Whether it can be used, as aiohttp asks before it lends a kept connection."""
        is_distrusted = self.exchange is None and self._proved_in < self._generation.number
        return super().is_connected() and not is_distrusted

    def rest(self) -> None:
        """Wait for the next exchange: the last one has proved that the server is there."""
        self.exchange = None
        self._proved_in = self._generation.number
        if self.should_close:
            self.close()

    def data_received(self, data: bytes) -> None:
        """Read on; but what comes while the connection is idle must not be taken for the next call's reply."""
        if self.requests and self.exchange is None:
            self.close()
            return
        self.received += len(data)
        super().data_received(data)


class WatchedConnector(aiohttp.TCPConnector):
    """Makes connections that count. aiohttp has no public hook for bytes received, its factory of protocols is the only one."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._generation = _Generation()
        make: Callable[..., ResponseHandler] = _WatchedConnection
        self._factory = functools.partial(make, self._generation, loop=self._loop)

    def distrust_idle(self) -> None:
        """Use none of the connections again that are idle now: where one was closed, a server or proxy has closed others, and a
        call would spend its attempts on them."""
        self._generation.number += 1


exchange_under_way: contextvars.ContextVar[Exchange] = contextvars.ContextVar("exchange_under_way")
"""The exchange of the task that runs: aiohttp makes its request objects itself, and passes nothing of ours on to them."""


class WatchedRequest(aiohttp.ClientRequest):
    """Tells the exchange under way which connection it goes out on."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if isinstance(conn.protocol, _WatchedConnection):
            exchange_under_way.get().begin(conn.protocol)
        return await super().send(conn)
