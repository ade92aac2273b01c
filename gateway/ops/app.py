"""The operators' pages over HTTP."""

import math
from typing import Final

from aiohttp import web

from gateway.ops.guard import Guard
from gateway.ops.log_level import LEVELS, MAX_SECONDS
from gateway.ops.pages import Pages

_INDEX: Final = """\
/metrics    Prometheus metrics
/healthz    200 while this process turns over
/readyz     200 while calls are taken and can be served, else 503; as JSON, why
/config     the settings in effect, without secrets
/log-level  GET; PUT ?level=debug|info|warning|error&for=SECONDS
"""


class _Handlers:
    def __init__(self, pages: Pages, guard: Guard) -> None:
        self._pages = pages
        self._guard = guard

    async def metrics(self, request: web.Request) -> web.Response:
        body, content_type = await self._pages.metrics(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")  # that it comes is the answer

    async def ready(self, _: web.Request) -> web.Response:
        readiness = await self._pages.readiness()
        return web.json_response({"ready": readiness.is_ready} | readiness.facts, status=200 if readiness.is_ready else 503)

    async def config(self, request: web.Request) -> web.Response:
        self._guard.check(request)
        return web.json_response(await self._pages.config())

    async def level(self, request: web.Request) -> web.Response:
        self._guard.check(request)
        return web.json_response(self._pages.level())

    async def set_level(self, request: web.Request) -> web.Response:
        self._guard.check(request)
        level, seconds = request.query.get("level", ""), _seconds(request.query.get("for"))
        if level not in LEVELS:
            raise web.HTTPBadRequest(text=f"level is {level!r}; it must be one of {', '.join(LEVELS)}\n")
        return web.json_response(await self._pages.set_level(level, seconds))

    async def index(self, request: web.Request) -> web.Response:
        return web.Response(text=_INDEX, status=200 if request.path == "/" else 404)


def build_app(pages: Pages, guard: Guard) -> web.Application:
    """An application that shows `pages`. Bodies are never read."""
    app = web.Application(client_max_size=1024)
    handlers = _Handlers(pages, guard)
    app.router.add_get("/metrics", handlers.metrics)
    app.router.add_get("/healthz", handlers.alive)
    app.router.add_get("/readyz", handlers.ready)
    app.router.add_get("/config", handlers.config)
    app.router.add_get("/log-level", handlers.level)
    # No POST: a page in a browser may send that anywhere without asking first.
    app.router.add_put("/log-level", handlers.set_level)
    app.router.add_get("/{path:.*}", handlers.index)
    return app


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MAX_SECONDS:
        raise web.HTTPBadRequest(text=f"for is {text!r}; it must be a number of seconds above 0 and up to {MAX_SECONDS:g}\n")
    return seconds
