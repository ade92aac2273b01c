import asyncio
import gc
import time
import traceback

import pytest

from gateway.cache.flights import Flights
from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason, UpstreamDetail

KEY = b"key"


class Work:
    """Begins whenever it is asked to, and ends when it is told to."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.tidied = 0
        self.ends: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        self.started += 1
        end = asyncio.get_running_loop().create_future()
        self.ends.append(end)
        try:
            return await end
        except asyncio.CancelledError:
            self.cancelled += 1
            for _ in range(20):  # takes a moment to tidy up
                await asyncio.sleep(0)
            self.tidied += 1
            raise


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def flights() -> Flights[str]:
    return Flights()


@pytest.fixture
def joined(flights, work, settled):
    async def joined(*calls: Call) -> list[asyncio.Task]:
        """Calls that wait, in that order, for the same work."""
        waiters = []
        for call in calls:
            waiters.append(asyncio.create_task(flights.join(KEY, work, call)))
            await settled(lambda: work.started)
            await asyncio.sleep(0)
        return waiters

    return joined


async def test_the_work_is_done_once_for_all_who_wait(flights, work, joined) -> None:
    waiters = await joined(*[UNHURRIED] * 5)
    work.ends[0].set_result("done")
    assert [await waiter for waiter in waiters] == [("done", False)] + [("done", True)] * 4
    assert work.started == 1
    assert len(flights) == 0


async def test_work_of_other_keys_is_other_work(flights, work, settled) -> None:
    waiters = [asyncio.create_task(flights.join(key, work, UNHURRIED)) for key in (b"1", b"2")]
    await settled(lambda: work.started == 2)
    work.ends[0].set_result("first")
    work.ends[1].set_result("second")
    assert [await waiter for waiter in waiters] == [("first", False), ("second", False)]


async def test_what_has_landed_is_not_joined(flights, work, joined) -> None:
    for number in range(2):
        (waiter,) = await joined(UNHURRIED)
        await asyncio.sleep(0)
        work.ends[number].set_result(str(number))
        assert await waiter == (str(number), False)


@pytest.mark.parametrize("leaver", [0, 1])
async def test_whoever_is_cancelled_leaves_the_work_to_the_others(work, joined, leaver) -> None:
    waiters = await joined(UNHURRIED, UNHURRIED)
    waiters[leaver].cancel()
    await asyncio.wait([waiters[leaver]])
    assert waiters[leaver].cancelled()
    work.ends[0].set_result("done")
    assert (await waiters[1 - leaver])[0] == "done"
    assert (work.started, work.cancelled) == (1, 0)


async def test_the_last_who_leaves_ends_the_work_and_sees_it_end(flights, work, joined) -> None:
    waiters = await joined(UNHURRIED, UNHURRIED, UNHURRIED)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    assert work.tidied == 1
    assert len(flights) == 0
    assert len(asyncio.all_tasks()) == 1  # this one


async def test_who_comes_while_abandoned_work_ends_begins_anew(flights, work, joined, settled) -> None:
    (gone,) = await joined(UNHURRIED)
    gone.cancel()
    await settled(lambda: work.cancelled)
    (late,) = await joined(UNHURRIED)
    await settled(lambda: work.started == 2)
    work.ends[1].set_result("done")
    assert await late == ("done", False)
    await asyncio.wait([gone])


async def test_each_gets_an_error_of_its_own(work, joined) -> None:
    detail = UpstreamDetail("AIS.0506", 500, "id", attempts=3)
    error = GatewayError(
        Reason.UPSTREAM_INTERNAL, "failed", field="f", measured="m", allowed="a", retry_after=2.0, upstream=detail
    )
    waiters = await joined(*[UNHURRIED] * 3)
    work.ends[0].set_exception(error)
    raised = await asyncio.gather(*waiters, return_exceptions=True)
    assert len({id(one) for one in [error, *raised]}) == 4
    for one in raised:
        assert vars(one) | {"upstream": None} == vars(error) | {"upstream": None}
    # Only who made them is told of the attempts, so that they are counted once.
    assert [one.upstream.attempts for one in raised] == [3, 0, 0]
    assert {one.upstream.error_code for one in raised} == {"AIS.0506"}


async def test_tracebacks_do_not_grow_with_the_number_that_wait(work, joined) -> None:
    waiters = await joined(*[UNHURRIED] * 50)
    work.ends[0].set_exception(GatewayError(Reason.UPSTREAM_INTERNAL, "failed"))
    raised = await asyncio.gather(*waiters, return_exceptions=True)
    depths = {len(traceback.extract_tb(one.__traceback__)) for one in raised}
    assert len(depths) == 1
    assert len({len(traceback.extract_tb(one.__cause__.__traceback__)) for one in raised}) == 1


async def test_a_fault_of_the_gateway_is_the_cause_of_what_each_gets(work, joined) -> None:
    fault = KeyError("oops")
    waiters = await joined(UNHURRIED, UNHURRIED)
    work.ends[0].set_exception(fault)
    raised = await asyncio.gather(*waiters, return_exceptions=True)
    assert raised[0] is not raised[1]
    for one in raised:
        assert isinstance(one, RuntimeError)
        assert one.__cause__ is fault


@pytest.mark.parametrize("reason", [Reason.DEADLINE_EXCEEDED, Reason.DEADLINE_TOO_SHORT])
async def test_a_deadline_of_the_one_who_began_is_not_that_of_the_others(work, joined, settled, reason) -> None:
    leader, *others = await joined(*[UNHURRIED] * 4)
    work.ends[0].set_exception(GatewayError(reason, "too late"))
    await settled(lambda: work.started == 2)
    with pytest.raises(GatewayError) as raised:
        await leader
    assert raised.value.reason is reason
    work.ends[1].set_result("done")
    # One of them began the work again, once for all of them.
    assert sorted([await other for other in others]) == [("done", False), ("done", True), ("done", True)]
    assert work.started == 2


@pytest.mark.parametrize(("tenant", "begins_again"), [("other", True), ("leader", False)])
async def test_a_full_queue_is_that_of_one_tenant(work, joined, settled, tenant, begins_again) -> None:
    leader, other = await joined(Call(tenant="leader"), Call(tenant=tenant))
    work.ends[0].set_exception(GatewayError(Reason.OVERLOADED, "full", retry_after=1.0))
    assert (await asyncio.gather(leader, return_exceptions=True))[0].reason is Reason.OVERLOADED
    if begins_again:
        await settled(lambda: work.started == 2)
        work.ends[1].set_result("done")
        assert await other == ("done", False)
    else:
        with pytest.raises(GatewayError, match="full"):
            await asyncio.wait_for(other, 5.0)
        assert work.started == 1


async def test_each_waits_until_its_own_deadline_only(work, joined) -> None:
    patient, hurried = await joined(UNHURRIED, Call(deadline=time.monotonic() + 0.02))
    with pytest.raises(GatewayError) as raised:
        await hurried
    assert raised.value.reason is Reason.DEADLINE_EXCEEDED
    assert not patient.done()
    work.ends[0].set_result("done")
    assert await patient == ("done", False)
    assert (work.started, work.cancelled) == (1, 0)


async def test_the_deadline_of_the_last_ends_the_work(flights, work, joined) -> None:
    (waiter,) = await joined(Call(deadline=time.monotonic() + 0.02))
    with pytest.raises(GatewayError, match="deadline"):
        await waiter
    assert work.cancelled == 1
    assert len(flights) == 0


async def test_work_that_is_cancelled_from_within_cancels_those_who_wait(work, joined) -> None:
    waiters = await joined(UNHURRIED, UNHURRIED)
    await asyncio.sleep(0)
    work.ends[0].cancel()
    await asyncio.wait(waiters)
    assert all(waiter.cancelled() for waiter in waiters)


async def test_closing_ends_all_work(flights, work, joined) -> None:
    waiters = await joined(UNHURRIED)
    await flights.aclose()
    assert work.cancelled == 1
    await asyncio.wait(waiters)
    assert len(asyncio.all_tasks()) == 1


async def test_a_failure_after_all_have_left_is_nobodys(flights, settled, caplog) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError from None
        return ""

    waiter = asyncio.create_task(flights.join(KEY, stubborn, UNHURRIED))
    await settled(lambda: len(flights))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])
    assert waiter.cancelled()
    del waiter
    gc.collect()
    assert not caplog.records  # nothing of an exception that was never retrieved
