"""Heavy work off the event loop: so many pieces at once, the others in order of arrival."""

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.call import UNHURRIED, Call
from gateway.engines.steps import Cancelled, Checkpoint
from gateway.telemetry.stage import stage

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Worked(Generic[_T]):
    """The result of a piece of work, and the seconds that it waited and took."""

    result: _T
    queue_time: float
    work_time: float


class EnginePool:
    """A bounded pool of threads for one event loop."""

    def __init__(self, workers: int) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")

        self.busy = 0
        """Threads at work."""
        self.waiting = 0
        """Pieces of work that wait for one."""

    def close(self) -> None:
        """Drop what has not begun; what has begun ends within a picture's time."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, engine: str, work: Callable[[Checkpoint], _T], call: Call = UNHURRIED) -> Worked[_T]:
        """Run `work` of `engine`, as traces call it, on a thread.

        Cancelling drops it if it has not begun, and otherwise ends it at its next checkpoint; so does
        the deadline of `call`, with a `GatewayError`."""
        async with call.bounded():
            return await self._run(engine, work)

    async def _run(self, engine: str, work: Callable[[Checkpoint], _T]) -> Worked[_T]:
        asked_at = time.perf_counter()
        # The semaphore, not the pool's queue, holds back what waits: a cancelled waiter leaves nothing behind.
        self.waiting += 1
        try:
            with stage("queue"):
                await self._slots.acquire()
        finally:
            self.waiting -= 1
        started_at = time.perf_counter()
        given_up = threading.Event()

        def checkpoint() -> None:
            if given_up.is_set():
                raise Cancelled

        with stage("engine", {"image_gateway.engine": engine}):
            with contextlib.ExitStack() as place:
                self.busy += 1
                place.callback(self._leave)
                # In the call's context, as tasks are: the work's own stages belong to the call's.
                running = self._threads.submit(contextvars.copy_context().run, work, checkpoint)
                # Not when this call ends: if it is cancelled, the thread is busy until the next checkpoint.
                _when_done(running, asyncio.get_running_loop(), place.pop_all().close)
            try:
                result = await asyncio.wrap_future(running)
            finally:
                given_up.set()
        return Worked(result, queue_time=started_at - asked_at, work_time=time.perf_counter() - started_at)

    def _leave(self) -> None:
        self.busy -= 1
        self._slots.release()


def _when_done(work: Future[_T], loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    def done(_: Future[_T]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits there
            loop.call_soon_threadsafe(callback)

    work.add_done_callback(done)
