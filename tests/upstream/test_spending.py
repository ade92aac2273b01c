"""What calls to the cloud may cost, through the policies around their attempts."""

import asyncio
import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from gateway.access.budgets import Budgets
from gateway.access.days import day_of
from gateway.access.ledgers import MemoryLedger
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import Limits, Roster, Tenant
from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.media import TaggingParameters
from gateway.upstream.client import CloudClient, Service
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.operations import TAGGING
from gateway.upstream.policies import Policies
from gateway.upstream.resilience.settings import HedgeSettings, LimitSettings, RetrySettings
from tests.upstream.test_client import BROKEN, LOST, PICTURE, REFUSED, THROTTLED, UNKNOWN_TOKEN, Credential, Transport, succeeded

SHOP = Call(tenant="shop")


async def until(reached: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.001)


class Paid:
    """A client whose calls cost a tenant's budget."""

    def __init__(self, budget: int, *script, **policies: object) -> None:
        self.transport = Transport(*script)
        self.ledger = MemoryLedger()
        roster = Roster(tenants={"shop": Tenant("shop", Limits(daily_budget=budget))})
        self.budgets = Budgets(lambda: roster, self.ledger, AccessMetrics(CollectorRegistry()), time.time)

        async def sleep(_: float) -> None:
            await asyncio.sleep(0)

        self.client = CloudClient(
            Service("https://image.example"),
            self.transport,
            Credential(),
            Policies(**policies),
            UpstreamMetrics(CollectorRegistry()),
            sleep=sleep,
            spending=self.budgets,
        )

    async def tag(self, call: Call = SHOP) -> str:
        """`ok`, or the reason of the failure."""
        try:
            await self.client.call(TAGGING, PICTURE, TaggingParameters(), call)
        except GatewayError as error:
            return error.reason.value
        finally:
            await self.budgets.aclose()
        return "ok"

    @property
    def sent(self) -> int:
        return len(self.transport.sent)

    @property
    def used(self) -> int:
        return self.ledger.used("shop", day_of(time.time()))


async def test_two_hundred_calls_at_once_spend_exactly_a_budget_of_fifty() -> None:
    paid = Paid(50, succeeded, limit=LimitSettings(concurrency=20, queue_length=1000))
    outcomes = await asyncio.gather(*(paid.tag() for _ in range(200)))
    assert outcomes.count("ok") == 50
    assert outcomes.count("BUDGET_EXHAUSTED") == 150
    assert (paid.sent, paid.used) == (50, 50)


async def test_what_was_not_billed_leaves_room_for_others() -> None:
    def every_other_one(number: int):
        return succeeded(number) if number % 2 else REFUSED(number)

    paid = Paid(50, every_other_one, limit=LimitSettings(concurrency=1, adaptive=False, queue_length=1000))
    outcomes = [await paid.tag() for _ in range(120)]
    assert outcomes.count("ok") == 50
    assert outcomes.count("BUDGET_EXHAUSTED") == 120 - 99
    assert (paid.sent, paid.used) == (99, 50)


@pytest.mark.parametrize(
    ("script", "outcome", "used"),
    [
        ([succeeded], "ok", 1),
        ([REFUSED], "IMAGE_REJECTED", 0),
        ([THROTTLED, succeeded], "ok", 1),
        ([BROKEN, BROKEN, succeeded], "ok", 1),
        ([UNKNOWN_TOKEN, succeeded], "ok", 1),
        ([LOST], "UPSTREAM_REPLY_LOST", 1),
    ],
)
async def test_a_call_costs_what_was_or_may_have_been_billed(script, outcome, used) -> None:
    paid = Paid(10, *script)
    assert (await paid.tag(), paid.used) == (outcome, used)


async def test_attempts_that_may_be_billed_again_cost_again() -> None:
    paid = Paid(2, LOST, LOST, succeeded, retry=RetrySettings(lost_replies=True))
    assert await paid.tag() == "UPSTREAM_REPLY_LOST"  # what was said first tells more than that there is no money for more
    assert (paid.sent, paid.used) == (2, 2)


async def test_a_second_attempt_beside_the_first_costs_too() -> None:
    paid = Paid(5, succeeded, hedge=HedgeSettings(after=0.01))
    paid.transport.gate.clear()
    task = asyncio.create_task(paid.tag())
    await until(lambda: paid.sent == 2)
    paid.transport.gate.set()
    assert await task == "ok"
    assert paid.used == 2  # the one that was given up may have been billed


async def test_a_call_that_is_cancelled_under_way_may_have_been_billed() -> None:
    paid = Paid(5, succeeded)
    paid.transport.gate.clear()
    task = asyncio.create_task(paid.tag())
    await until(lambda: paid.transport.under_way)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert paid.used == 1


async def test_a_call_that_is_cancelled_while_it_waits_costs_nothing() -> None:
    paid = Paid(5, succeeded, limit=LimitSettings(concurrency=1))
    paid.transport.gate.clear()
    first, second = (asyncio.create_task(paid.tag()) for _ in range(2))
    await until(lambda: paid.used == 2)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert paid.used == 1
    paid.transport.gate.set()
    assert await first == "ok"
    assert (paid.sent, paid.used) == (1, 1)


async def test_no_place_is_waited_for_without_money() -> None:
    paid = Paid(0, succeeded, limit=LimitSettings(concurrency=1))
    paid.transport.gate.clear()
    other = asyncio.create_task(paid.tag(UNHURRIED))
    await until(lambda: paid.transport.under_way)
    assert await asyncio.wait_for(paid.tag(), 5) == Reason.BUDGET_EXHAUSTED.value
    paid.transport.gate.set()
    assert await other == "ok"
