"""An event loop whose clock stands still while anything can run, and otherwise jumps to the next timer."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Jumping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for something that will never happen"
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def now() -> float:
    return asyncio.get_running_loop().time()


def timers() -> int:
    """How many are set and would still do something."""
    return sum(not timer.cancelled() for timer in asyncio.get_running_loop()._scheduled)


async def settle() -> None:
    """Let everything run that can run at this instant."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end, as `asyncio.run` does, in no time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class Clock:
    """A clock without a loop."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
