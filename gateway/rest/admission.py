"""A bound on requests at once: each may hold a body, a picture and a result in memory."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.rest.errors import RestError


def admission(most: int) -> Middleware:
    """Middleware that lets in `most` requests at a time and refuses further ones, before anything of their bodies is read."""
    under_way = 0

    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        nonlocal under_way
        if under_way >= most:
            raise RestError("APIG.0308", f"(this service works on {most} requests at once)", retry_after=1)
        under_way += 1
        try:
            return await handler(request)
        finally:
            under_way -= 1

    return middleware
