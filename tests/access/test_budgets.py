import asyncio

import pytest

from gateway.access.budgets import Budgets
from gateway.access.days import day_of, until_midnight
from gateway.access.ledgers import MemoryLedger
from gateway.access.tenants import Limits, Roster, Tenant
from gateway.errors import GatewayError, Reason
from gateway.upstream.outcome import Billed


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def budgets(ledger, metrics, clock) -> Budgets:
    tenants = {
        "shop": Tenant("shop", Limits("gold", daily_budget=3)),
        "free": Tenant("free", Limits("gold")),
        "tried": Tenant("tried", Limits("gold", daily_budget=1, shadow=True)),
        "none": Tenant("none", Limits("gold", daily_budget=0)),
    }
    return Budgets(lambda: Roster(tenants=tenants), ledger, metrics, clock)


async def spend(budgets: Budgets, tenant: str, *billed: Billed) -> None:
    """One call with as many requests, one after the other."""
    purse = budgets.purse(tenant)
    try:
        for each in billed:
            await purse.reserve()
            await purse.cover()
            purse.settle(each)
    finally:
        purse.close()
        await budgets.aclose()


def test_listed_are_the_roster_s_tenants(budgets) -> None:
    assert budgets.is_listed("shop")
    assert not budgets.is_listed("stranger")


async def exhausted(budgets: Budgets, tenant: str) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await spend(budgets, tenant, Billed.YES)
    assert caught.value.reason is Reason.BUDGET_EXHAUSTED
    return caught.value


def used(ledger: MemoryLedger, clock, tenant: str = "shop") -> int:
    return ledger.used(tenant, day_of(clock.now))


@pytest.mark.parametrize(
    ("billed", "spent"),
    [
        ([Billed.YES], 1),
        ([Billed.MAYBE], 1),
        ([Billed.NO], 0),
        ([Billed.NO, Billed.NO, Billed.YES], 1),
        ([Billed.MAYBE, Billed.YES], 2),
        ([Billed.MAYBE, Billed.NO], 1),
        ([Billed.NO, Billed.MAYBE, Billed.YES], 2),
    ],
)
async def test_what_was_or_may_have_been_billed_is_spent(budgets, ledger, clock, counted, billed, spent) -> None:
    await spend(budgets, "shop", *billed)
    assert used(ledger, clock) == spent
    assert counted("tenant_billable_calls_total", tenant_class="gold") == spent
    assert counted("tenant_budget_left", tenant="shop", tenant_class="gold") == 3 - spent


async def test_a_budget_that_is_used_up_is_told_with_the_time_of_the_next(budgets, clock, counted) -> None:
    await spend(budgets, "shop", *[Billed.YES] * 3)
    error = await exhausted(budgets, "shop")
    assert error.retry_after == 12 * 3600  # it is noon
    assert error.allowed == "3 calls a day"
    assert counted("tenant_refusals_total", tenant_class="gold", limit="budget") == 1
    clock.now += 12 * 3600 - 1
    await exhausted(budgets, "shop")
    clock.now += 1
    await spend(budgets, "shop", *[Billed.YES] * 3)
    await exhausted(budgets, "shop")


async def test_a_retry_that_cannot_be_paid_is_not_made(budgets) -> None:
    with pytest.raises(GatewayError) as caught:
        await spend(budgets, "shop", *[Billed.MAYBE] * 4)
    assert caught.value.reason is Reason.BUDGET_EXHAUSTED


async def test_what_is_set_aside_for_a_call_that_is_given_up_is_given_back(budgets, ledger, clock) -> None:
    purse = budgets.purse("shop")
    await purse.reserve()
    await purse.reserve()
    assert used(ledger, clock) == 1
    await purse.cover()  # of a request that was never sent
    purse.close()
    await budgets.aclose()
    assert used(ledger, clock) == 0


async def test_what_is_given_back_late_is_not_taken_from_the_next_day(budgets, ledger, clock) -> None:
    purse = budgets.purse("shop")
    await purse.reserve()
    clock.now += 86_400
    await spend(budgets, "shop", Billed.YES)
    purse.close()
    await budgets.aclose()
    assert used(ledger, clock) == 1


async def test_two_requests_side_by_side_take_one_each(budgets, ledger, clock) -> None:
    purse = budgets.purse("shop")
    await asyncio.gather(purse.cover(), purse.cover())
    assert used(ledger, clock) == 2
    purse.settle(Billed.YES)
    purse.settle(Billed.NO)
    purse.close()
    await budgets.aclose()
    assert used(ledger, clock) == 1


async def test_a_budget_is_never_overrun_however_many_call(budgets, ledger, clock) -> None:
    async def call() -> bool:
        try:
            await spend(budgets, "shop", Billed.YES)
        except GatewayError:
            return False
        return True

    assert sum(await asyncio.gather(*(call() for _ in range(200)))) == 3
    assert used(ledger, clock) == 3


async def test_without_a_budget_nothing_is_counted(budgets, ledger, clock) -> None:
    for _ in range(10):
        await spend(budgets, "free", Billed.YES)
    assert used(ledger, clock, "free") == 0


async def test_a_budget_of_nothing_allows_nothing(budgets) -> None:
    await exhausted(budgets, "none")


async def test_in_shadow_more_is_spent_than_there_is_and_that_is_counted(budgets, ledger, clock, counted) -> None:
    for _ in range(3):
        await spend(budgets, "tried", Billed.YES)
    assert used(ledger, clock, "tried") == 1
    assert counted("tenant_shadow_refusals_total", tenant_class="gold", limit="budget") == 2


async def test_a_tenant_that_is_removed_meanwhile_is_still_settled(ledger, metrics, clock) -> None:
    roster = Roster(tenants={"shop": Tenant("shop", Limits(daily_budget=1))}, others=None)
    rosters = [roster]
    budgets = Budgets(lambda: rosters[0], ledger, metrics, clock)
    purse = budgets.purse("shop")
    await purse.cover()
    rosters[0] = Roster(others=None)
    purse.settle(Billed.YES)
    purse.close()
    assert used(ledger, clock) == 1


async def test_a_clock_that_is_set_back_grants_nothing(budgets, ledger, clock) -> None:
    await spend(budgets, "shop", Billed.YES)
    clock.now -= 86_400
    await exhausted(budgets, "shop")


@pytest.mark.parametrize(
    ("now", "day", "left"),
    [(0.0, "1970-01-01", 86_400), (86_399.5, "1970-01-01", 0.5), (86_400, "1970-01-02", 86_400)],
)
def test_days_are_those_of_utc(now, day, left) -> None:
    assert (day_of(now), until_midnight(now)) == (day, left)
