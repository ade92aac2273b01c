"""Budgets of several replicas over one Redis, which may be gone."""

import asyncio
import contextlib

import pytest

from gateway.access.ledgers import RedisLedger
from gateway.redis_store import RedisSettings, RedisStore
from gateway.redis_store.store import HOLD
from tests.redis_store.conftest import Server

DAY, NEXT = "2026-11-28", "2026-11-29"


@pytest.fixture
def server():
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def replica(server, clock):
    async with contextlib.AsyncExitStack() as opened:

        def make(*, counts_here: bool = False, timeout: float = 5.0) -> RedisLedger:
            settings = RedisSettings(url=f"redis://127.0.0.1:{server.port}/0", timeout=timeout)
            store = RedisStore(settings, clock)
            opened.push_async_callback(store.aclose)
            return RedisLedger(store, counts_here=counts_here)

        yield make


async def take(ledger: RedisLedger, count: int, limit: int = 5, day: str = DAY) -> list[bool | None]:
    return [await ledger.take("shop", day, limit) for _ in range(count)]


async def test_replicas_spend_one_budget(replica) -> None:
    one, other = replica(), replica()
    taken = []
    for _ in range(25):  # the server of the tests takes few connections at once
        taken += await asyncio.gather(*(ledger.take("shop", DAY, 50) for ledger in (one, other) for _ in range(4)))
    assert taken.count(True) == 50
    assert taken.count(False) == 150
    assert max(one.used("shop", DAY), other.used("shop", DAY)) == 50


async def test_what_one_gives_back_another_may_spend(replica) -> None:
    one, other = replica(), replica()
    assert await take(one, 6) == [True] * 5 + [False]
    await one.give_back("shop", DAY)
    assert await take(other, 2) == [True, False]


async def test_days_and_tenants_are_counted_apart(replica) -> None:
    ledger = replica()
    assert await take(ledger, 5) == [True] * 5
    assert await ledger.take("another", DAY, 1)
    assert await take(ledger, 1, day=NEXT) == [True]
    assert ledger.used("shop", DAY) == 0
    assert ledger.used("shop", NEXT) == 1


async def test_nothing_is_given_back_that_was_not_taken(replica) -> None:
    ledger = replica()
    await ledger.give_back("shop", DAY)
    assert await take(ledger, 6) == [True] * 5 + [False]


async def test_while_the_redis_is_gone_nothing_can_be_said(replica, server, clock) -> None:
    ledger = replica()
    assert await take(ledger, 2) == [True, True]
    server.stop()
    assert await take(ledger, 2) == [None, None]
    server.start()
    clock.now += HOLD
    assert await ledger.take("shop", DAY, 50) is True


async def test_while_the_redis_is_gone_calls_may_be_counted_here_and_told_later(replica, server, clock) -> None:
    ledger = replica(counts_here=True)
    assert await take(ledger, 2) == [True, True]
    server.stop()
    assert await take(ledger, 4) == [True, True, True, False]
    await ledger.give_back("shop", DAY)
    assert ledger.used("shop", DAY) == 4
    server.start()  # anew, and empty: as if the others had spent nothing
    clock.now += HOLD
    assert await take(ledger, 4) == [True, True, True, False]
    assert ledger.used("shop", DAY) == 5


async def test_what_was_counted_here_counts_for_the_others_too(replica, server, clock) -> None:
    ledger, other = replica(counts_here=True), replica()
    server.stop()
    assert await take(ledger, 3) == [True] * 3
    server.start()
    clock.now += HOLD
    assert await take(ledger, 1) == [True]
    assert await take(other, 2) == [True, False]


async def test_what_is_owed_for_a_day_is_forgotten_with_it(replica, server, clock) -> None:
    ledger = replica(counts_here=True)
    server.stop()
    assert await take(ledger, 3) == [True] * 3
    server.start()
    clock.now += HOLD
    assert await take(ledger, 6, day=NEXT) == [True] * 5 + [False]


class Hanging:
    """A Redis that does not answer until it is told to, and says what it was told."""

    def __init__(self) -> None:
        self.gone = True
        self.hangs = False
        self.owed: list[int] = []

    async def take(self, _: str, limit: int, *, owed: int, ttl: float) -> tuple[bool, int] | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.gone:
            return None
        self.owed.append(owed)
        return owed < limit, owed + 1


async def test_what_was_counted_here_is_told_though_a_call_was_cancelled_meanwhile() -> None:
    redis = Hanging()
    ledger = RedisLedger(redis, counts_here=True)
    assert await take(ledger, 5, limit=10) == [True] * 5
    redis.hangs = True
    call = asyncio.create_task(ledger.take("shop", DAY, 10))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    redis.hangs = redis.gone = False
    await ledger.take("shop", DAY, 10)
    assert redis.owed == [5]
