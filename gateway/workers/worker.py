"""One of several processes that serve a port."""

import socket

from gateway.config import GatewaySettings
from gateway.server import running_gateway, serve
from gateway.workers.channel import Place, SupervisorLink
from gateway.workers.shares import share_of


async def run_worker(settings: GatewaySettings, place: Place) -> None:
    """Serve with this worker's share of what `settings` allow, until SIGTERM or the supervisor's end; then drain.

    Raises `ConfigError`, `OSError`.
    """
    with socket.socket(fileno=place.descriptor) as connection:
        link = SupervisorLink(connection)
        own = share_of(settings, place.index)
        gateway = running_gateway(own, share_port=True, worker=place.index, pages_at=place.pages_at, shown=settings)
        await serve(gateway, lambda _: link.announce_ready(), stopping=link.orphaned)
