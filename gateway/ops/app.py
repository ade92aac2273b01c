"""The operators' pages."""

from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

_REGISTRY: Final = web.AppKey("registry", CollectorRegistry)


def build_app(registry: CollectorRegistry) -> web.Application:
    """An application that shows the metrics in `registry`."""
    app = web.Application()
    app[_REGISTRY] = registry
    app.router.add_get("/metrics", _metrics)
    return app


async def _metrics(request: web.Request) -> web.Response:
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(request.app[_REGISTRY]), headers={"Content-Type": content_type})
