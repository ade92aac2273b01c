"""The pages of all workers together, asked of sockets as workers have them."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.exposition import choose_encoder

from gateway.ops.log_level import LogLevel
from gateway.ops.pages import Pages, Readiness
from gateway.ops.server import running_ops_at
from gateway.workers.pages import WorkersPages

OWN = {"limit.concurrency": 10, "ops.listen": "127.0.0.1:9100"}


def pages_of(config: dict[str, object], *, ready: bool = True, asked: Callable[[], None] = lambda: None) -> Pages:
    registry = CollectorRegistry()
    Counter("calls", "Calls.", registry=registry)

    async def metrics(accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    async def readiness() -> Readiness:
        return Readiness(ready, {"degraded": False})

    async def shown() -> dict[str, object]:
        asked()
        return config

    async def set_level(level: str, _: float | None) -> dict[str, object]:
        return {"level": level}

    return Pages(metrics, readiness, shown, dict, set_level)


class Workers:
    """Those that run, and the supervisor's pages of them."""

    def __init__(self, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._running: list[SimpleNamespace] = []
        self.pages = WorkersPages(lambda: self._running, 2, CollectorRegistry(), lambda: OWN, LogLevel()).pages

    async def start(self, index: int, pages: Pages) -> None:
        path = self._place(index)
        await self._stack.enter_async_context(running_ops_at(path, pages))

    async def start_broken(self, index: int, status: int, body: str) -> None:
        """One that answers everything with that."""

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, text=body)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.UnixSite(runner, self._place(index)).start()

    def stopped(self) -> None:
        """All of them have stopped."""
        self._running.clear()

    def _place(self, index: int) -> Path:
        path = self._folder / f"{len(self._running)}.sock"
        self._running.append(SimpleNamespace(index=index, pages_at=path, accepts=True, name=f"worker {index}"))
        return path

    async def metrics(self) -> str:
        return (await self.pages.metrics(""))[0].decode()


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[Workers]:
    async with contextlib.AsyncExitStack() as stack:
        yield Workers(tmp_path, stack)


async def test_the_settings_are_those_that_the_workers_have_read(workers) -> None:
    assert await workers.pages.config() == OWN  # before there are any
    for index in range(2):
        await workers.start(index, pages_of({"limit.concurrency": 4, "ops.listen": "of no effect"}))
    assert await workers.pages.config() == {"limit.concurrency": 4, "ops.listen": "127.0.0.1:9100"}


async def test_while_they_differ_the_newest_are_shown_and_the_others_told(workers) -> None:
    for index in range(2):
        await workers.start(index, pages_of({"limit.concurrency": 4, "provider": "cloud"}))
    await workers.start(0, pages_of({"limit.concurrency": 6, "provider": "cloud"}))
    shown = await workers.pages.config()
    assert (shown["limit.concurrency"], shown["workers"]) == (6, {"1": {"limit.concurrency": 4}})


async def test_workers_may_stop_once_they_have_answered(workers) -> None:
    await workers.start(1, pages_of({"limit.concurrency": 4}))
    await workers.start(0, pages_of({"limit.concurrency": 6}, asked=workers.stopped))
    shown = await workers.pages.config()
    assert (shown["limit.concurrency"], shown["workers"]) == (6, {"1": {"limit.concurrency": 4}})


@pytest.mark.parametrize(
    ("status", "body"), [(500, "500 Internal Server Error"), (200, "<html>"), (500, '{"ready": true, "degraded": false}')]
)
async def test_a_worker_that_shows_an_error_has_failed(workers, caplog, status, body) -> None:
    await workers.start(0, pages_of({"limit.concurrency": 4}))
    await workers.start_broken(1, status, body)
    page = await workers.metrics()
    assert 'image_gateway_worker_up{worker="supervisor"' not in page
    assert [line[-3:] for line in page.splitlines() if line.startswith("image_gateway_worker_up{")] == ["1.0", "0.0"]
    assert 'calls_total{worker="0"} 0.0' in page
    readiness = await workers.pages.readiness()
    assert readiness.is_ready
    assert (readiness.facts["degraded"], readiness.facts["workers"]["1"]) == (True, None)
    assert (await workers.pages.config())["limit.concurrency"] == 4
    assert "worker 1 does not show its pages" in caplog.text


@pytest.mark.usefixtures("restored_level")
async def test_the_level_of_the_log_is_told_of_each_worker(workers) -> None:
    await workers.start(0, pages_of({}))
    await workers.start_broken(1, 500, "")
    assert (await workers.pages.set_level("warning", None))["workers"] == {"0": True, "1": False}


@pytest.fixture
def restored_level() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)
