"""The operators' pages of all workers together: the supervisor asks each for its own."""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
from prometheus_client import CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.exposition import choose_encoder

from gateway.ops.log_level import LogLevel
from gateway.ops.pages import Document, Pages, Readiness
from gateway.workers.merging import Merged, read_page
from gateway.workers.process import WorkerProcess

_log = logging.getLogger(__name__)

_SECONDS: Final = 4.0
"""For a worker's answer: less than the 10 s that Prometheus waits. One that hangs is left out, and its `up` is 0."""

_SUPERVISOR: Final = "supervisor"

_OWN_ROOM: Final = "ops."
"""Settings that hold in this process, which reads none anew."""

_Page = TypeVar("_Page")


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
        """`workers`: those that run, the older ones first. `count`: how many there are to be. `config`: the settings that this
        process was started with."""
        self._workers = workers
        self._count = count
        self._registry = registry
        self._own_config = config
        self._log_level = log_level
        self._up = Gauge("image_gateway_worker_up", "Whether a worker takes calls and answers.", ["worker"], registry=registry)
        self.pages: Final = Pages(self._metrics, self._readiness, self._config, log_level.shown, self._set_level)

    async def _metrics(self, accept: str) -> tuple[bytes, str]:
        answers = await self._asked("GET", "/metrics", _read_metrics)
        for index in range(self._count):
            self._up.labels(str(index)).set(str(index) in answers)
        registry = CollectorRegistry()
        registry.register(Merged(dict(sorted(answers.items())) | {_SUPERVISOR: _read_metrics(generate_latest(self._registry))}))
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    async def _readiness(self) -> Readiness:
        """Ready while one worker is: the port is shared, and those that are not ready take no connections."""
        answers = await self._asked("GET", "/readyz", _read_readiness, (200, 503))
        workers: dict[str, Any] = {str(index): None for index in range(self._count)} | answers
        ready = [bool(facts and facts["ready"]) for facts in workers.values()]
        degraded = not all(ready) or any(facts["degraded"] for facts in workers.values() if facts)
        return Readiness(any(ready), {"degraded": any(ready) and degraded, "workers": workers})

    async def _config(self) -> Document:
        """What the workers go by, which have read the settings when they were started; of the operators' port, what this process
        does.

        They differ while they are replaced, and if that could not be done to the end: `workers` then tells of each that has other
        settings than the newest of them which.
        """
        own = self._own_config()
        answers = await self._asked("GET", "/config", _read_document)
        if not answers:
            return own
        newest = next(reversed(answers))
        shown = answers[newest] | {path: value for path, value in own.items() if path.startswith(_OWN_ROOM)}
        others = {
            worker: {path: value for path, value in config.items() if value != answers[newest].get(path)}
            for worker, config in sorted(answers.items())
        }
        differing: Document = {worker: other for worker, other in others.items() if other}
        return shown | ({"workers": differing} if differing else {})

    async def _set_level(self, level: str, seconds: float | None) -> Document:
        query = f"?level={level}" + ("" if seconds is None else f"&for={seconds:g}")
        self._log_level.set(level, seconds)
        answers = await self._asked("PUT", f"/log-level{query}", _read_document)
        return self._log_level.shown() | {"workers": {str(index): str(index) in answers for index in range(self._count)}}

    def _places(self) -> dict[str, WorkerProcess]:
        """Those that can be asked, by their numbers: of those with the same the newest, which started last being last."""
        places: dict[str, WorkerProcess] = {}
        for worker in self._workers():
            if worker.accepts and worker.pages_at is not None:
                places.pop(str(worker.index), None)
                places[str(worker.index)] = worker
        return places

    async def _asked(
        self, method: str, path: str, read: Callable[[bytes], _Page], statuses: Collection[int] = (200,)
    ) -> dict[str, _Page]:
        """What those that answered have to say, by the numbers of the workers; the one that started last is last.

        `read` raises `ValueError` for what is no such page; `statuses`: with which one may come.
        """
        places = self._places()
        bodies = await asyncio.gather(*(self._answer(worker, method, path, statuses) for worker in places.values()))
        pages: dict[str, _Page] = {}
        for (place, worker), body in zip(places.items(), bodies, strict=True):
            if body is None:
                continue
            try:
                pages[place] = read(body)
            except ValueError:
                _log.warning("%s does not show its pages: what it shows at %s is none", worker.name, path.partition("?")[0])
        return pages

    async def _answer(self, worker: WorkerProcess, method: str, path: str, statuses: Collection[int]) -> bytes | None:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        connector = aiohttp.UnixConnector(path=str(worker.pages_at))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, f"http://worker{path}") as response,
            ):
                if response.status in statuses:
                    return await response.read()
                why = f"HTTP status {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = type(error).__name__
        _log.warning("%s does not show its pages: %s", worker.name, why)
        return None


def _read_metrics(body: bytes) -> Iterable[Metric]:
    return read_page(body.decode())


def _read_document(body: bytes) -> Document:
    document = json.loads(body)
    if not isinstance(document, dict):
        msg = "no object"
        raise ValueError(msg)  # noqa: TRY004  # of what came, not of what is called with
    return document


def _read_readiness(body: bytes) -> Document:
    document = _read_document(body)
    if not {"ready", "degraded"} <= document.keys():
        msg = "no readiness"
        raise ValueError(msg)
    return document
