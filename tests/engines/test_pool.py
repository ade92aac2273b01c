import asyncio
import threading

import pytest

from gateway.engines.pool import EnginePool
from gateway.engines.steps import Cancelled


@pytest.fixture
def pool():
    pool = EnginePool(1)
    yield pool
    pool.close()


class Held:
    """Work that says when it has begun, and goes on to its next checkpoint when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.outcome = ""

    def __call__(self, checkpoint) -> str:
        self.begun.set()
        assert self.go_on.wait(10)
        try:
            checkpoint()
        except Cancelled:
            self.outcome = "cancelled"
            raise
        self.outcome = "done"
        return self.outcome


async def test_the_result_comes_with_its_times(pool) -> None:
    worked = await pool.run("tagging", lambda _: 7)
    assert worked.result == 7
    assert worked.queue_time >= 0
    assert worked.work_time > 0


async def test_what_the_work_raises_comes_through(pool) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await pool.run("tagging", fail)
    assert (await pool.run("tagging", lambda _: 1)).result == 1  # the place is free again


async def test_the_others_wait_in_order_of_arrival(pool) -> None:
    held, order = Held(), []
    first = asyncio.create_task(pool.run("tagging", held))
    await asyncio.to_thread(held.begun.wait, 10)
    others = [asyncio.create_task(pool.run("tagging", lambda _, n=n: order.append(n))) for n in range(5)]
    await asyncio.sleep(0)
    assert order == []
    held.go_on.set()
    assert (await first).result == "done"
    await asyncio.gather(*others)
    assert order == [0, 1, 2, 3, 4]


async def test_cancelled_work_ends_at_its_next_checkpoint_and_keeps_its_place_until_then(pool) -> None:
    held, began = Held(), threading.Event()
    running = asyncio.create_task(pool.run("tagging", held))
    await asyncio.to_thread(held.begun.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    following = asyncio.create_task(pool.run("tagging", lambda _: began.set()))
    await asyncio.sleep(0)
    assert not began.is_set()
    held.go_on.set()
    await following
    assert held.outcome == "cancelled"


async def test_work_that_is_cancelled_while_it_waits_never_begins(pool) -> None:
    held, began = Held(), threading.Event()
    running = asyncio.create_task(pool.run("tagging", held))
    await asyncio.to_thread(held.begun.wait, 10)
    waiting = asyncio.create_task(pool.run("tagging", lambda _: began.set()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.go_on.set()
    await running
    assert (await pool.run("tagging", lambda _: 1)).result == 1
    assert not began.is_set()


async def test_closing_drops_what_has_not_begun(pool) -> None:
    pool.close()
    with pytest.raises(RuntimeError):
        await pool.run("tagging", lambda _: 1)
