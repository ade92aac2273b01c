"""A deadline for request bodies: whoever sends one slowly, or never ends it, must not hold a place for ever."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware


def body_deadline(seconds: float) -> Middleware:
    """Middleware that ends the wait for a body after so many seconds: reading it then raises `web.HTTPRequestTimeout`."""

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        timer = asyncio.get_running_loop().call_later(seconds, _give_up, request)
        try:
            return await handler(request)
        finally:
            timer.cancel()

    return middleware


def _give_up(request: web.Request) -> None:
    if not request.content.is_eof():
        request.content.set_exception(web.HTTPRequestTimeout(text="The request's body did not arrive in time."))
