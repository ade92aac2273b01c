"""The operators' port."""

import asyncio
import contextlib
import logging
import platform
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, Info, PlatformCollector, ProcessCollector

from gateway.ops.app import build_app
from gateway.ops.connections import Connections
from gateway.ops.guard import Guard
from gateway.ops.pages import Pages
from gateway.ops.settings import OpsSettings
from gateway.settings import join_address, split_address

_log = logging.getLogger(__name__)


def process_registry(version: str) -> CollectorRegistry:
    """A registry that shows this process: memory, CPU, open files, collections of garbage, versions."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    build = Info("image_gateway_build", "What is running.", registry=registry)
    build.info({"version": version, "python": platform.python_version()})
    return registry


@contextlib.asynccontextmanager
async def running_ops(settings: OpsSettings, pages: Pages, name: str = "ops.listen") -> AsyncIterator[str]:
    """The operators' port, if the settings have one; gives its address, or nothing. `name`: of the setting that has it. Raises
    `OSError`."""
    if settings.listen is None:
        yield ""
        return
    host, port = split_address(settings.listen)
    async with _runner(pages, Guard(settings)) as runner:
        if runner.server is None:  # only before its setup
            raise RuntimeError
        try:
            server = await asyncio.get_running_loop().create_server(Connections().bounded(runner.server), host, port)
        except OSError as error:
            msg = f"{name}: {settings.listen} cannot be listened on: in use, not an address of this machine, or not allowed"
            raise OSError(msg) from error
        address = join_address(host, _port(server.sockets[0]))
        _log.info("operators' port: http://%s/", address)
        try:
            yield address
        finally:
            server.close()


@contextlib.asynccontextmanager
async def running_ops_at(path: Path, pages: Pages) -> AsyncIterator[None]:
    """The same pages on a socket of the file system, for whoever may open it. Raises `OSError`."""
    async with _runner(pages, Guard(OpsSettings(allow_all=True))) as runner:
        await web.UnixSite(runner, path).start()
        yield


@contextlib.asynccontextmanager
async def _runner(pages: Pages, guard: Guard) -> AsyncIterator[web.AppRunner]:
    # What is not HTTP at all is anyone's to send; aiohttp would log a traceback of its parser for each of it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    runner = web.AppRunner(build_app(pages, guard), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])
