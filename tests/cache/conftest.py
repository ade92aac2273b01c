import asyncio
from collections.abc import Callable

import pytest


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settled() -> Callable[[Callable[[], bool]], object]:
    async def settled(condition: Callable[[], bool]) -> None:
        """Let other tasks run until `condition` holds."""
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError

    return settled


@pytest.fixture(autouse=True)
async def nothing_is_left_behind():
    yield
    # The fixture's own task, and the test's, are all that may be running.
    left = [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("flight")]
    assert left == []
