"""What fails while the gateway is at work: the gateway itself, one of its workers, its Redis."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
import redis.asyncio

from bench.soak.cloud import Cloud, running_cloud
from bench.soak.weather import Weather
from bench.streams.pictures import picture
from bench.streams.process import Gateway, running_gateway
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

_CALM = Weather(share=0.0, storm_every=0, latency=0.02)
_SETTINGS: dict[str, object] = {"LIMIT_CONCURRENCY": 32, "LIMIT_QUEUE_LENGTH": 10_000, "HEDGE_AFTER": ""}


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what other processes do
            await asyncio.sleep(0.01)


class Load:
    """Callers that call again as soon as they are answered, each with a connection and pictures of its own."""

    def __init__(self, address: str, *, callers: int = 12, once: bool) -> None:
        """`once`: a caller stops at its first failure, as one does whose gateway is going away."""
        self.answered: Counter[str] = Counter()
        self.failures: list[tuple[str, grpc.StatusCode]] = []
        self._once = once
        self._address = address
        self._tasks = [asyncio.create_task(self._call(f"caller{number}")) for number in range(callers)]
        self._stopped = False

    async def reaches(self, answers: int) -> None:
        """Wait until so many more calls have been answered."""
        wanted = self.answered.total() + answers
        await until(lambda: self.answered.total() >= wanted)

    async def ended(self) -> None:
        """Stop, and wait for what is under way."""
        self._stopped = True
        async with asyncio.timeout(60):
            await asyncio.gather(*self._tasks)

    async def _call(self, caller: str) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0), ("grpc.max_reconnect_backoff_ms", 100)]
        async with grpc.aio.insecure_channel(self._address, options=options) as channel:
            stub = pb_grpc.TaggingServiceStub(channel)
            number = 0
            while not self._stopped:
                number += 1
                name = f"{caller}-{number}"
                try:
                    reply = await stub.TagImage(
                        pb.TagImageRequest(content=picture(name, 1000)), timeout=30, wait_for_ready=not self._once or number == 1
                    )
                except grpc.aio.AioRpcError as error:
                    self.failures.append((name, error.code()))
                    if self._once:
                        return
                else:
                    assert [tag.name for tag in reply.tags] == [name]
                    self.answered[name] += 1


async def test_on_sigterm_under_load_everything_that_was_begun_is_answered() -> None:
    async with running_cloud(_CALM) as cloud, running_gateway(cloud.url, _SETTINGS) as gateway:
        load = Load(gateway.address, once=True)
        await load.reaches(100)
        await gateway.stop()
        await load.ended()
        books = await cloud.books()
        assert gateway.tracebacks == 0
    # What was paid for was answered, what was not answered was not begun, and callers know that they may send it again.
    assert dict(books.billed) == dict(load.answered)
    assert {code for _, code in load.failures} <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert len(load.failures) == 12


def workers(gateway: Gateway) -> set[int]:
    pid = gateway._process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


async def test_a_worker_that_is_killed_under_load_takes_only_what_it_was_at_along() -> None:
    async with running_cloud(_CALM) as cloud, running_gateway(cloud.url, _SETTINGS | {"RPC_WORKERS": 2}) as gateway:
        gateway.address = gateway.address.removesuffix(" workers=2")
        before = workers(gateway)
        load = Load(gateway.address, once=False)
        await load.reaches(100)
        os.kill(min(before), signal.SIGKILL)
        await load.reaches(200)
        await load.ended()
        assert {code for _, code in load.failures} <= {grpc.StatusCode.UNAVAILABLE}
        assert len(load.failures) <= 12  # a caller has one call at a time, and each fails once at most
        await until(lambda: len(workers(gateway)) == 2)
        assert len(workers(gateway) & before) == 1
        assert (await cloud.books()).received.total() >= load.answered.total()


class Redis:
    """A real one on a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("no redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", os.fspath(self._folder)]
        self._process = await asyncio.create_subprocess_exec(program, *options, stdout=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(20):
            while await self.keys() is None:  # noqa: ASYNC110  # of another process
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def keys(self) -> int | None:
        """How many there are; None if it does not answer."""
        async with redis.asyncio.Redis(port=self.port) as client:
            with contextlib.suppress(redis.exceptions.ConnectionError):
                return int(await client.dbsize())
        return None


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Redis]:
    store = Redis(tmp_path)
    await store.start()
    yield store
    await store.kill()


async def _keys_come(store: Redis) -> None:
    async with asyncio.timeout(30):
        while not await store.keys():  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.05)


async def test_a_redis_that_goes_and_comes_back_fails_no_call(store) -> None:
    settings = _SETTINGS | {"CACHE_STORE": "redis", "REDIS_URL": f"redis://127.0.0.1:{store.port}/0", "REDIS_TIMEOUT": 2}
    cloud: Cloud
    async with running_cloud(_CALM) as cloud, running_gateway(cloud.url, settings) as gateway:
        load = Load(gateway.address, once=False)
        await load.reaches(100)
        await _keys_come(store)
        await store.kill()
        await load.reaches(100)  # with nothing remembered
        await store.start()
        await _keys_come(store)  # what is answered now is remembered again
        await load.reaches(50)
        await load.ended()
        assert load.failures == []
        assert gateway.tracebacks == 0
