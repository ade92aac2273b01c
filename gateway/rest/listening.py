"""The face on a socket. What is no proper HTTP, and so reaches no handler, is refused in the contract's form all the same."""

import asyncio
import contextlib
import logging
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod
from aiohttp.web_request import BaseRequest

from gateway.rest.errors import RestError
from gateway.settings import join_address

_log = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 30.0
_MAX_HEADER_BYTES: Final = 64 << 10
"""Tokens of the cloud are of several kilobytes, and clients may send what they have."""


class _Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The reply to what could not be read. Raises `ConnectionError` if another one has been begun."""
        super().handle_error(request, status, exc, message)
        if isinstance(exc, BadHttpMethod):
            refusal = RestError("AIS.0013")
        elif status < 500:
            # What follows the colon is what was sent, and may be a secret.
            refusal = RestError("AIS.0010", f"(the request is no proper HTTP: {(message or '').partition(':')[0].strip(' .')})")
        else:
            refusal = RestError("AIS.0506")
        response = refusal.response()
        request_id = response.headers["X-Request-Id"] = secrets.token_hex(16)
        _log.debug("request %s failed: %s", request_id, refusal)
        response.force_close()
        return response


@contextlib.asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None, *, header_timeout: float = 30.0
) -> AsyncIterator[int]:
    """Accept calls of `app` at that address; gives the port. Drains at the end. Raises `OSError`.

    `header_timeout`: seconds for the headers of a request to arrive.
    """
    loop = asyncio.get_running_loop()
    # Whoever hangs up leaves a place to others.
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_DRAIN_SECONDS)
    await runner.setup()

    def connection() -> _Connection:
        server = runner.server
        assert server is not None  # noqa: S101  # from `setup` to `cleanup`
        return _Connection(
            server,
            loop=loop,
            keepalive_timeout=header_timeout,  # which aiohttp counts from the start of a connection, too
            access_log=None,  # type: ignore[arg-type]  # aiohttp takes it for “none”, and says so in its runner
            auto_decompress=False,  # a megabyte can become a gigabyte, and the loop would see to that alone
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )

    try:
        listener = await _listener(connection, host, port, tls)
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listener(connection: Callable[[], _Connection], host: str, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(connection, host, port, ssl=tls, backlog=128)
    except OSError as error:
        msg = f"{join_address(host, port)} cannot be listened on: in use, not an address of this machine, or not allowed"
        raise OSError(msg) from error
