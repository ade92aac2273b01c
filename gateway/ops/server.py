"""The operators' port."""

import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from gateway.ops.app import build_app
from gateway.ops.settings import OpsSettings
from gateway.settings import join_address, split_address

_log = logging.getLogger(__name__)


def process_registry() -> CollectorRegistry:
    """A registry that shows this process: memory, CPU, open files, collections of garbage, versions."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


@contextlib.asynccontextmanager
async def running_ops(settings: OpsSettings, registry: CollectorRegistry) -> AsyncIterator[str]:
    """The operators' port, if the settings have one; gives its address, or nothing. Raises `OSError`."""
    if settings.listen is None:
        yield ""
        return
    host, port = split_address(settings.listen)
    runner = web.AppRunner(build_app(registry), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            msg = f"ops.listen: {settings.listen} cannot be listened on: in use, not an address of this machine, or not allowed"
            raise OSError(msg) from error
        address = join_address(host, int(runner.addresses[0][1]))
        _log.info("operators' port: http://%s/metrics", address)
        yield address
    finally:
        await runner.cleanup()
