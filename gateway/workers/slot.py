"""The place of one worker, in which one follows the other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

_log = logging.getLogger(__name__)

START_SECONDS: Final = 120.0
"""A worker that is not ready by then is taken for one that never will be."""

_LAST_WORDS_SECONDS: Final = 10.0
"""For one that is ending by itself to say why."""

_LONG_LIFE_SECONDS: Final = 10.0
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Worker(Protocol):
    """What a slot needs of a process."""

    name: str

    async def is_ready(self, seconds: float) -> bool: ...
    async def ended(self) -> int: ...
    def drain(self) -> None: ...
    def kill(self) -> None: ...


class Slot:
    """Keeps one worker running: the first to die is replaced at once, those that die young after growing pauses."""

    def __init__(self, start: Callable[[], Awaitable[Worker]], clock: Callable[[], float]) -> None:
        """`clock` counts seconds."""
        self._start = start
        self._clock = clock
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()  # a death and a replacement may come together
        self._living: set[Worker] = set()
        self._current: Worker | None = None
        self._young_deaths = 0

    async def fill(self) -> int | None:
        """Start the first worker; its exit status if it could not start."""
        async with self._changing:
            self._current, status = await self._started()
            return status

    async def keep(self) -> None:
        """Start a worker whenever there is none, until told to stop; returns when the last one has ended."""
        while (worker := self._current) is not None:
            since = self._clock()
            status = await worker.ended()
            self._living.discard(worker)
            async with self._changing:
                if self._stopping.is_set():
                    return
                if worker is self._current:
                    _log.error("%s ended with status %d; starting another", worker.name, status)
                    self._young_deaths = self._young_deaths + 1 if self._clock() - since < _LONG_LIFE_SECONDS else 0
                    self._current = await self._successor()

    async def replace(self) -> bool:
        """Start another worker and, once it is ready, have the one before drain; whether that could be done."""
        async with self._changing:
            successor, status = await self._started()
            if successor is None:
                if not self._stopping.is_set():
                    _log.error("a new worker could not start (status %s); the one before goes on", status)
                return False
            before, self._current = self._current, successor
        if before is not None:
            before.drain()
            await before.ended()
            self._living.discard(before)
        return True

    def stop(self) -> None:
        """Start no more, and have what runs drain."""
        self._stopping.set()
        for worker in self._living:
            worker.drain()

    def kill(self) -> None:
        """End what runs."""
        for worker in self._living:
            worker.kill()

    async def _successor(self) -> Worker | None:
        """A ready worker, or none if it is time to stop."""
        while not self._stopping.is_set():
            await self._pause()
            worker, status = await self._started()
            if worker is not None:
                return worker
            self._young_deaths += 1
            if not self._stopping.is_set():
                _log.error("a worker could not start (status %s); trying again", status)
        return None

    async def _pause(self) -> None:
        if self._young_deaths <= 1:
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (self._young_deaths - 2), _LONGEST_PAUSE_SECONDS)
        try:
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _started(self) -> tuple[Worker, None] | tuple[None, int]:
        """A ready worker, or the exit status of one that did not become ready."""
        worker = await self._start()
        self._living.add(worker)
        if self._stopping.is_set():
            worker.drain()
        if await worker.is_ready(START_SECONDS):
            return worker, None
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                status = await worker.ended()
        except TimeoutError:
            worker.kill()
            status = await worker.ended()
        self._living.discard(worker)
        return None, status
