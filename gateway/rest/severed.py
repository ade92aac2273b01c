"""A reply that ends in the reset of its connection."""

import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

_SETTLING: Final = 0.05
"""Seconds for what was sent to arrive: a reset discards what is still on its way."""

_LINGER_NOT: Final = struct.pack("ii", 1, 0)
"""With it, closing a socket resets its connection; else a client would see an orderly end."""


class Severed(web.StreamResponse):
    """Sends the headers, which announce the whole body, and the part of it that is given; then the connection is reset.

    Without headers, nothing is sent.
    """

    def __init__(self, reply: web.Response | None, part: bytes = b"", *, sleep: Callable[[float], Awaitable[object]]) -> None:
        """`reply` is the one whose headers are sent."""
        super().__init__(status=reply.status if reply is not None else 200, headers=reply.headers if reply is not None else None)
        self._sends_headers = reply is not None
        self.content_length = reply.content_length if reply is not None else 0
        self._part = part
        self._sleep = sleep
        self._request: BaseRequest | None = None

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send the headers. Raises `ConnectionResetError`, which the server takes for the client's doing."""
        self._request = request
        if not self._sends_headers:
            raise self._reset()
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the part, in place of `data`. Raises as `prepare`."""
        del data
        if self._part:
            await self.write(self._part)
        await self._sleep(_SETTLING)
        raise self._reset()

    def _reset(self) -> ConnectionResetError:
        transport = self._request.transport if self._request else None
        if transport is not None:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            transport.abort()
        return ConnectionResetError("the connection was reset on purpose")
