"""The process that keeps the workers: it serves nothing itself."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from gateway.workers.slot import Slot, Worker

_log = logging.getLogger(__name__)

_SLACK_SECONDS: Final = 15.0
"""What a worker may take to end, beyond the time that calls are given."""

_FAILED: Final = 1


class Supervisor:
    """Starts workers, restarts those that die, replaces them on SIGHUP, has them drain on SIGTERM or SIGINT."""

    def __init__(
        self,
        start: Callable[[int], Awaitable[Worker]],
        *,
        count: int,
        drain_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`start` starts the worker of an index from 0; `drain_timeout` is what calls are given to end, in seconds."""
        self._slots = [Slot(partial(start, index), clock) for index in range(count)]
        self._drain_timeout = drain_timeout
        self._stopping = asyncio.Event()
        self._reload = asyncio.Event()
        self._killed = False

    async def run(self, announce: Callable[[], None]) -> int:
        """Keep the workers until told to stop; `announce` is called once all are ready. Gives the process's exit status."""
        with self._signals():
            status = await self._fill()
            if status is None:
                announce()
            else:
                self._stop()
            async with asyncio.TaskGroup() as tasks:
                keeping = [tasks.create_task(slot.keep()) for slot in self._slots]
                reloading = tasks.create_task(self._reload_on_demand())
                await self._stopping.wait()
                reloading.cancel()
                _, late = await asyncio.wait(keeping, timeout=self._drain_timeout + _SLACK_SECONDS)
                if late:
                    _log.error("workers did not end in time; they are killed")
                    self._kill()
        return (status or 0) if not self._killed else _FAILED

    async def _fill(self) -> int | None:
        """Start all workers; an exit status if that cannot be done, or is not wanted any more."""
        first, *others = self._slots
        status = await first.fill()  # alone, so that what is wrong with the settings is said once
        if status is None:
            statuses = await asyncio.gather(*(slot.fill() for slot in others))
            status = next((status for status in statuses if status is not None), None)
        if self._stopping.is_set():
            return 0
        if status is not None:
            _log.error("workers cannot start (status %d)", status)
            return max(status, _FAILED)
        return None

    async def _reload_on_demand(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            _log.info("replacing the workers, one after another")
            for slot in self._slots:
                if not await slot.replace():
                    break
            else:
                _log.info("all workers are new")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._stopping.is_set():
                self._kill()
            self._stop()

        actions = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: self._reload.set}
        for number, action in actions.items():
            loop.add_signal_handler(number, action)
        try:
            yield
        finally:
            for number in actions:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self._stopping.set()
        for slot in self._slots:
            slot.stop()

    def _kill(self) -> None:
        self._killed = True
        for slot in self._slots:
            slot.kill()
