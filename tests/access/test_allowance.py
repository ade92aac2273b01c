import asyncio
from collections.abc import Callable

import pytest

from gateway.access.allowance import Allowance, Share
from gateway.access.tenants import Limits
from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason


class Timers:
    """Calls nothing until the clock is moved."""

    def __init__(self, clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, Callable[[], None], list[bool]]] = []

    def __call__(self, seconds: float, work: Callable[[], None]):
        alive = [True]
        self._due.append((self._clock.now + seconds, work, alive))

        class Timer:
            def cancel(self) -> None:
                alive[0] = False

        return Timer()

    async def pass_(self, seconds: float) -> None:
        self._clock.now += seconds
        due, self._due = self._due, []
        for at, work, alive in due:
            if alive[0] and at <= self._clock.now + 1e-9:
                work()
            elif alive[0]:
                self._due.append((at, work, alive))
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
def timers(clock) -> Timers:
    return Timers(clock)


@pytest.fixture
def allow(clock, metrics, timers):
    def make(share: Share | None = None, **limits: object) -> Allowance:
        return Allowance(Limits(tenant_class="gold", **limits), share or Share(), metrics, clock, timers)

    return make


def refused(allowance: Allowance) -> GatewayError:
    with pytest.raises(GatewayError) as caught, allowance.picture():
        pytest.fail("it was let in")
    assert caught.value.reason is Reason.TENANT_LIMIT_EXCEEDED
    return caught.value


async def waiting(allowance: Allowance, count: int, call: Call = UNHURRIED) -> list[asyncio.Task[Callable[[], None]]]:
    tasks = [asyncio.create_task(allowance.turn(call)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


def test_without_limits_nobody_is_refused(allow) -> None:
    allowance = allow()
    with allowance.picture(), allowance.picture(), allowance.picture():
        assert allowance.places is None
    assert allowance.is_idle


def test_single_pictures_beyond_the_places_are_refused(allow, counted) -> None:
    allowance = allow(concurrency=2)
    with allowance.picture():
        with allowance.picture():
            error = refused(allowance)
            assert (error.allowed, error.retry_after) == ("at most 2 pictures at once", 1.0)
        with allowance.picture():
            assert not allowance.is_idle
    assert counted("tenant_refusals_total", tenant_class="gold", limit="concurrency") == 1
    assert allowance.is_idle


def test_single_pictures_beyond_the_rate_are_refused(allow, counted, clock) -> None:
    allowance = allow(rate=2.0, burst=3)
    for _ in range(3):
        with allowance.picture():
            pass
    error = refused(allowance)
    assert error.retry_after == pytest.approx(0.5)
    assert error.allowed == "2 pictures a second"
    clock.now += 0.5
    with allowance.picture():
        pass
    refused(allowance)
    assert counted("tenant_refusals_total", tenant_class="gold", limit="rate") == 2


@pytest.mark.parametrize(("rate", "most"), [(0.5, 1), (3.9, 3)])
def test_a_burst_is_that_of_a_second_unless_it_is_given(allow, rate, most) -> None:
    allowance = allow(rate=rate)
    for _ in range(most):
        with allowance.picture():
            pass
    refused(allowance)


async def test_items_wait_for_places_in_their_order(allow, counted) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    tasks = await waiting(allowance, 3)
    assert not any(task.done() for task in tasks)
    for task in tasks:
        release()
        release = await task
        assert sum(other.done() for other in tasks) == tasks.index(task) + 1
    release()
    assert allowance.is_idle
    assert counted("tenant_waits_total", tenant_class="gold") == 3


async def test_items_wait_for_the_rate(allow, timers) -> None:
    allowance = allow(rate=8.0, burst=1)
    (await allowance.turn(UNHURRIED))()
    tasks = await waiting(allowance, 3)
    for done in range(3):
        assert sum(task.done() for task in tasks) == done
        await timers.pass_(0.125)
    for task in tasks:
        (await task)()


async def test_an_item_that_waits_too_long_is_given_up(allow) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    now = asyncio.get_running_loop().time()
    with pytest.raises(GatewayError) as caught:
        await allowance.turn(Call(deadline=now + 0.01))
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    release()
    (await allowance.turn(UNHURRIED))()
    assert allowance.is_idle


@pytest.mark.parametrize("admitted", [False, True])
async def test_a_wait_that_is_cancelled_keeps_no_place(allow, admitted) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    (task,) = await waiting(allowance, 1)
    if admitted:
        release()  # it has its place, and does not know yet
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    if not admitted:
        release()
    assert allowance.is_idle


async def test_those_behind_one_that_leaves_are_let_in(allow) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    first, second = await waiting(allowance, 2)
    first.cancel()
    release()
    (await second)()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert allowance.is_idle


async def test_in_shadow_all_are_let_in_and_what_would_not_have_been_is_counted(allow, counted) -> None:
    allowance = allow(concurrency=1, rate=1.0, burst=2, shadow=True)
    with allowance.picture(), allowance.picture():  # the second would have been refused, so it takes no place …
        release = await allowance.turn(UNHURRIED)
        release()
    with allowance.picture():  # … nor does it count for the rate
        pass
    with allowance.picture():
        pass
    assert counted("tenant_shadow_refusals_total", tenant_class="gold", limit="concurrency") == 2
    assert counted("tenant_shadow_refusals_total", tenant_class="gold", limit="rate") == 1
    assert counted("tenant_refusals_total", tenant_class="gold", limit="rate") == 0


async def test_new_limits_hold_at_once_for_those_who_wait_too(allow) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    tasks = await waiting(allowance, 2)
    allowance.change(Limits(concurrency=3))
    for task in tasks:
        (await task)()
    allowance.change(Limits(concurrency=1))
    refused(allowance)
    release()
    with allowance.picture():
        pass


@pytest.mark.parametrize(("whole", "shares"), [(8, [3, 3, 2]), (2, [1, 1, 1]), (1, [1, 1, 1])])
def test_workers_share_what_there_is(allow, whole, shares) -> None:
    assert [allow(Share(index, 3), concurrency=whole).places for index in range(3)] == shares


def test_workers_share_the_rate(allow, clock) -> None:
    allowance = allow(Share(0, 2), rate=4.0)
    for _ in range(2):
        with allowance.picture():
            pass
    refused(allowance)
    clock.now += 0.5
    with allowance.picture():
        pass


async def test_who_waits_is_let_in_when_the_limits_become_a_shadow(allow) -> None:
    allowance = allow(concurrency=1)
    release = await allowance.turn(UNHURRIED)
    (task,) = await waiting(allowance, 1)
    allowance.change(Limits(concurrency=1, shadow=True))
    (await task)()
    release()
    assert allowance.is_idle
