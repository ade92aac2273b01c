import asyncio

import pytest

from gateway.redis_store import RedisLock


@pytest.fixture
def lock(server, opened):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    def lock(limit: float = 15.0) -> RedisLock:
        made = RedisLock(opened(server.port), "turn", limit=limit, sleep=sleep)
        made.slept = slept
        return made

    return lock


async def test_one_at_a_time(lock) -> None:
    inside = most = 0

    async def take(one: RedisLock) -> None:
        nonlocal inside, most
        async with one.turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.005)
            inside -= 1

    await asyncio.gather(*(take(lock(limit=1000.0)) for _ in range(4)))
    assert most == 1


async def test_the_turn_is_given_back_also_after_an_error(lock) -> None:
    one, other = lock(), lock()
    with pytest.raises(KeyError):
        async with one.turn():
            raise KeyError
    async with other.turn():
        assert other.slept == []


async def test_whoever_has_waited_long_enough_goes_on_and_leaves_the_turn_to_its_owner(lock) -> None:
    owner, other, third = lock(), lock(limit=1.0), lock(limit=1.0)
    async with owner.turn():
        async with other.turn():
            assert sum(other.slept) == pytest.approx(1.0)
        other.slept.clear()
        async with third.turn():
            assert sum(third.slept) == pytest.approx(1.0)


async def test_without_a_server_nobody_waits(lock, server) -> None:
    one = lock()
    server.stop()
    async with one.turn():
        assert one.slept == []


async def test_a_turn_ends_by_itself_if_its_replica_is_gone(scripted, opened) -> None:
    scripted.answer = lambda command: b"+OK\r\n"
    async with RedisLock(opened(scripted.port), "turn", limit=15.0).turn():
        (taken,) = [command for command in scripted.commands if command[0] == b"SET"]
    assert sorted(taken[3:]) == [b"15000", b"NX", b"PX"]


async def test_a_turn_that_was_taken_while_it_was_cancelled_is_given_back(scripted, opened) -> None:
    scripted.answer = lambda command: None if command[0] == b"SET" else b"+OK\r\n"

    async def take() -> None:
        async with RedisLock(opened(scripted.port), "turn", limit=15.0).turn():
            raise AssertionError

    taking = asyncio.create_task(take())
    await scripted.heard(b"SET")
    taking.cancel()
    await asyncio.wait([taking])
    assert taking.cancelled()
    assert any(command[0] == b"WATCH" for command in scripted.commands)
