"""The operators' pages of all workers together: the supervisor asks each for its own."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final

import aiohttp
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import choose_encoder

from gateway.ops.log_level import LogLevel
from gateway.ops.pages import Document, Pages, Readiness
from gateway.workers.merging import Merged
from gateway.workers.process import WorkerProcess

_log = logging.getLogger(__name__)

_SECONDS: Final = 4.0
"""For a worker's answer: less than the 10 s that Prometheus waits. One that hangs is left out, and its `up` is 0."""

_SUPERVISOR: Final = "supervisor"


class Sockets:
    """Names for the sockets of workers, in a folder that only this user may enter."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def next(self) -> Path:
        """A name that no worker had before."""
        return self._folder / f"{next(self._numbers)}.sock"


class WorkersPages:
    """What all workers have to show. With two of one place, during a replacement, it is the newer one's."""

    def __init__(
        self,
        workers: Callable[[], Collection[WorkerProcess]],
        count: int,
        registry: CollectorRegistry,
        config: Callable[[], Document],
        log_level: LogLevel,
    ) -> None:
        """`workers`: those that run, the older ones first. `count`: how many there are to be."""
        self._workers = workers
        self._count = count
        self._registry = registry
        self._log_level = log_level
        self._up = Gauge("image_gateway_worker_up", "Whether a worker takes calls and answers.", ["worker"], registry=registry)
        self.pages: Final = Pages(self._metrics, self._readiness, config, log_level.shown, self._set_level)

    async def _metrics(self, accept: str) -> tuple[bytes, str]:
        answers = await self._asked("GET", "/metrics")
        for index in range(self._count):
            self._up.labels(str(index)).set(str(index) in answers)
        pages = {worker: body.decode() for worker, (_, body) in sorted(answers.items())}
        pages[_SUPERVISOR] = generate_latest(self._registry).decode()
        registry = CollectorRegistry()
        registry.register(Merged(pages))
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    async def _readiness(self) -> Readiness:
        """Ready while one worker is: the port is shared, and those that are not ready take no connections."""
        answers = await self._asked("GET", "/readyz")
        workers: dict[str, Any] = {str(index): None for index in range(self._count)}
        workers |= {worker: json.loads(body) for worker, (_, body) in sorted(answers.items())}
        ready = [bool(facts and facts["ready"]) for facts in workers.values()]
        degraded = not all(ready) or any(facts["degraded"] for facts in workers.values() if facts)
        return Readiness(any(ready), {"degraded": any(ready) and degraded, "workers": workers})

    async def _set_level(self, level: str, seconds: float | None) -> Document:
        query = f"?level={level}" + ("" if seconds is None else f"&for={seconds:g}")
        self._log_level.set(level, seconds)
        answers = await self._asked("PUT", f"/log-level{query}")
        return self._log_level.shown() | {"workers": {worker: status == 200 for worker, (status, _) in sorted(answers.items())}}

    async def _asked(self, method: str, path: str) -> dict[str, tuple[int, bytes]]:
        """The answers of those that answered, by the numbers of the workers."""
        places = {str(worker.index): worker for worker in self._workers() if worker.accepts and worker.pages_at is not None}
        answers = await asyncio.gather(*(self._answer(worker, method, path) for worker in places.values()))
        return {place: answer for place, answer in zip(places, answers, strict=True) if answer is not None}

    async def _answer(self, worker: WorkerProcess, method: str, path: str) -> tuple[int, bytes] | None:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        connector = aiohttp.UnixConnector(path=str(worker.pages_at))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, f"http://worker{path}") as response,
            ):
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("%s does not show its pages: %s", worker.name, type(error).__name__)
            return None
