"""The supervisor with workers that tests command."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from gateway.workers import slot
from gateway.workers.supervisor import Supervisor


class FakeWorker:
    """Ready when told; ends when told to drain, unless it is stubborn."""

    def __init__(self, index: int, *, ready: bool, stubborn: bool) -> None:
        self.name = f"worker {index}"
        self.index = index
        self.draining = asyncio.Event()
        self.killed = False
        self._ready = ready
        self._stubborn = stubborn
        self._end = asyncio.get_running_loop().create_future()

    async def is_ready(self, seconds: float) -> bool:
        if not self._ready:
            self.end(2)
        return self._ready

    async def ended(self) -> int:
        return await asyncio.shield(self._end)

    def end(self, status: int) -> None:
        if not self._end.done():
            self._end.set_result(status)

    def drain(self) -> None:
        self.draining.set()
        if not self._stubborn:
            self.end(0)

    def kill(self) -> None:
        self.killed = True
        self.end(-9)


class Fleet:
    """The workers that were started, in order."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.started: asyncio.Queue[FakeWorker] = asyncio.Queue()
        self.ready = True
        self.stubborn = False
        self.announced = 0

    async def start(self, index: int) -> FakeWorker:
        worker = FakeWorker(index, ready=self.ready, stubborn=self.stubborn)
        self.workers.append(worker)
        self.started.put_nowait(worker)
        return worker

    def supervise(self, count: int = 2) -> "asyncio.Task[int]":
        def announce() -> None:
            self.announced += 1

        supervisor = Supervisor(self.start, count=count, drain_timeout=30, clock=lambda: 0.0)
        return asyncio.create_task(supervisor.run(announce))

    async def next(self) -> FakeWorker:
        return await asyncio.wait_for(self.started.get(), 5)


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    yield Fleet()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL  # as it was found


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(slot, "_FIRST_PAUSE_SECONDS", 0.01)


async def test_all_are_started_announced_once_and_drained(fleet) -> None:
    run = fleet.supervise(3)
    workers = [await fleet.next() for _ in range(3)]
    assert [worker.index for worker in workers] == [0, 1, 2]
    send(signal.SIGTERM)
    assert await asyncio.wait_for(run, 5) == 0
    assert all(worker.draining.is_set() and not worker.killed for worker in workers)
    assert fleet.announced == 1


async def test_a_worker_that_cannot_start_ends_all_with_its_status(fleet) -> None:
    fleet.ready = False
    assert await asyncio.wait_for(fleet.supervise(3), 5) == 2
    assert len(fleet.workers) == 1  # and so says what is wrong once
    assert not fleet.announced


async def test_the_dead_are_replaced_where_they_stood(fleet, quick) -> None:
    run = fleet.supervise()
    _, second = await fleet.next(), await fleet.next()
    for _ in range(3):  # the clock stands still: each dies young
        second.end(-9)
        second = await fleet.next()
        assert second.index == 1
    send(signal.SIGINT)
    assert await asyncio.wait_for(run, 5) == 0
    assert not fleet.workers[0].killed


async def test_who_dies_young_again_and_again_is_waited_with(fleet, monkeypatch) -> None:
    monkeypatch.setattr(slot, "_FIRST_PAUSE_SECONDS", 3600)
    run = fleet.supervise(1)
    (await fleet.next()).end(-9)
    (await fleet.next()).end(-9)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fleet.started.get(), 0.05)
    send(signal.SIGTERM)  # which the pause does not hold up
    assert await asyncio.wait_for(run, 5) == 0


async def test_a_second_signal_kills(fleet) -> None:
    fleet.stubborn = True
    run = fleet.supervise()
    workers = [await fleet.next(), await fleet.next()]
    send(signal.SIGTERM)
    await asyncio.wait_for(workers[0].draining.wait(), 5)
    assert not workers[0].killed
    send(signal.SIGTERM)
    assert await asyncio.wait_for(run, 5) == 1
    assert all(worker.killed for worker in workers)


async def test_hangup_replaces_one_after_another(fleet) -> None:
    fleet.stubborn = True
    run = fleet.supervise()
    first, second = await fleet.next(), await fleet.next()
    send(signal.SIGHUP)
    successor = await fleet.next()
    await asyncio.wait_for(first.draining.wait(), 5)
    assert successor.index == 0
    assert not second.draining.is_set()  # not before the first has ended
    assert fleet.started.empty()
    first.end(0)
    assert (await fleet.next()).index == 1
    await asyncio.wait_for(second.draining.wait(), 5)
    second.end(0)
    send(signal.SIGTERM)
    await asyncio.wait_for(fleet.workers[3].draining.wait(), 5)
    assert not any(worker.killed for worker in fleet.workers)
    assert len(fleet.workers) == 4
    send(signal.SIGTERM)
    await asyncio.wait_for(run, 5)


async def test_when_the_new_cannot_start_the_old_go_on(fleet) -> None:
    run = fleet.supervise()
    old = [await fleet.next(), await fleet.next()]
    fleet.ready = False
    send(signal.SIGHUP)
    await fleet.next()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(worker.draining.is_set() for worker in old)
    assert len(fleet.workers) == 3  # the second was not even tried
    send(signal.SIGTERM)
    assert await asyncio.wait_for(run, 5) == 0
