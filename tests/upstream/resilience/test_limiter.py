import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.upstream.resilience.limiter import Limiter
from gateway.upstream.resilience.settings import LimitSettings

from .virtual_time import now, run, settle, timers


def limiter(**values) -> Limiter:
    return Limiter(LimitSettings(**values), now)


class Caller:
    """A call that goes through the limiter and notes when."""

    def __init__(self, gate: Limiter, tenant: str = "", seconds: float = 1.0, deadline: float = math.inf) -> None:
        self.gate, self.seconds, self.call = gate, seconds, Call(tenant, deadline)
        self.arrived_at = now()
        self.started_at: float | None = None
        self.error: GatewayError | None = None
        self.task = asyncio.create_task(self._go())

    async def _go(self) -> None:
        try:
            async with self.call.bounded(), self.gate.slot(self.call):
                self.started_at = now()
                await asyncio.sleep(self.seconds)
                self.gate.succeeded(self.seconds)
        except GatewayError as error:
            self.error = error

    @property
    def waited(self) -> float | None:
        return None if self.started_at is None else self.started_at - self.arrived_at

    @property
    def reason(self) -> Reason | None:
        return self.error and self.error.reason


async def ended(*callers: Caller) -> None:
    await asyncio.gather(*(caller.task for caller in callers), return_exceptions=True)


def is_idle(gate: Limiter) -> bool:
    return (gate.in_flight, gate.waiting, gate._queue.tenants, timers()) == (0, 0, 0, 0)


def test_so_many_at_once_and_the_others_in_order() -> None:
    async def main() -> None:
        gate = limiter(concurrency=2)
        begun = now()
        callers = [Caller(gate) for _ in range(5)]
        await settle()
        assert (gate.limit, gate.in_flight, gate.waiting, gate.has_room) == (2, 2, 3, False)
        await ended(*callers)
        assert [caller.started_at - begun for caller in callers] == pytest.approx([0, 0, 1, 1, 2])
        assert [caller.waited for caller in callers] == pytest.approx([0, 0, 1, 1, 2])
        assert is_idle(gate)
        assert gate.has_room

    run(main())


def test_a_crowd_delays_another_tenant_by_one_turn() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        crowd = [Caller(gate, "crowd") for _ in range(100)]
        await asyncio.sleep(0.5)
        other = Caller(gate, "other")
        await ended(other)
        assert other.waited == pytest.approx(1.5)
        await ended(*crowd)
        assert is_idle(gate)

    run(main())


def test_a_full_queue_refuses_those_who_have_most_in_it() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1, queue_length=4)
        crowd = [Caller(gate, "crowd") for _ in range(6)]
        await settle()
        other = Caller(gate, "other")
        await settle()
        assert [caller.reason for caller in crowd] == [None] * 4 + [Reason.OVERLOADED] * 2
        assert crowd[4].error.retry_after >= 1.0
        await ended(other, *crowd)
        assert other.error is None
        assert is_idle(gate)

    run(main())


def test_advice_of_a_full_queue_is_when_it_will_have_moved() -> None:
    async def main() -> None:
        gate = limiter(concurrency=2, queue_length=4)
        await ended(Caller(gate, seconds=6.0))
        callers = [Caller(gate, seconds=6.0) for _ in range(7)]
        await settle()
        assert callers[6].error.retry_after == pytest.approx(15.0)  # five turns, each of three seconds
        await ended(*callers)

    run(main())


def test_who_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1, queue_time=3.0)
        holder, waiter = Caller(gate, seconds=10.0), Caller(gate)
        await asyncio.sleep(2.9)
        assert waiter.error is None
        await asyncio.sleep(0.2)
        assert (waiter.reason, gate.waiting) == (Reason.OVERLOADED, 0)
        await ended(holder)
        assert is_idle(gate)

    run(main())


def test_what_cannot_be_done_in_time_is_refused_at_once() -> None:
    async def main() -> None:
        gate = limiter(concurrency=2)
        await ended(Caller(gate, seconds=2.0))
        crowd = [Caller(gate, "crowd", seconds=2.0) for _ in range(6)]  # two at work, four waiting: a turn each second
        await settle()
        # Of another tenant: after one of the crowd, so two turns, and two seconds of work.
        short, long = Caller(gate, "other", deadline=now() + 3.9), Caller(gate, "other", deadline=now() + 4.1)
        await settle()
        assert short.reason is Reason.DEADLINE_TOO_SHORT
        assert long.error is None
        last = Caller(gate, "crowd", deadline=now() + 7.0)
        await settle()
        assert last.reason is Reason.DEADLINE_TOO_SHORT
        await ended(*crowd, long)
        assert is_idle(gate)

    run(main())


def test_calls_that_need_longer_than_anybody_waits_are_tried_again_after_a_while() -> None:
    async def main() -> None:
        gate = limiter()
        await ended(Caller(gate, seconds=8.0))
        hasty = Caller(gate, seconds=0.1, deadline=now() + 5.0)
        await ended(hasty)
        assert hasty.reason is Reason.DEADLINE_TOO_SHORT
        await asyncio.sleep(30)
        hasty = Caller(gate, seconds=0.1, deadline=now() + 5.0)
        await ended(hasty)
        assert hasty.error is None
        assert gate.service_time.quick == pytest.approx(0.1)

    run(main())


def test_a_deadline_that_has_passed_or_passes_in_the_queue() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        with pytest.raises(GatewayError) as caught:
            async with gate.slot(Call(deadline=now())):
                pytest.fail("let in")
        assert caught.value.reason is Reason.DEADLINE_EXCEEDED
        holder, waiter = Caller(gate, seconds=10.0), Caller(gate, deadline=now() + 5.0)  # nothing is known of times yet
        await asyncio.sleep(6)
        assert (waiter.reason, gate.waiting) == (Reason.DEADLINE_EXCEEDED, 0)
        await ended(holder)
        assert is_idle(gate)

    run(main())


def test_calls_per_second() -> None:
    async def main() -> None:
        gate = limiter(concurrency=10, rate=2.0, burst=2)
        begun = now()
        callers = [Caller(gate, seconds=0.1) for _ in range(5)]
        await ended(*callers)
        assert [caller.started_at - begun for caller in callers] == pytest.approx([0, 0, 0.5, 1.0, 1.5])
        assert is_idle(gate)

    run(main())


def test_the_rate_counts_for_what_is_foreseen() -> None:
    async def main() -> None:
        gate = limiter(rate=1.0)
        callers = [Caller(gate, seconds=0.0) for _ in range(4)]
        await settle()
        short, long = (Caller(gate, seconds=0.0, deadline=now() + left) for left in (3.9, 4.1))
        await ended(short, long, *callers)
        assert (short.reason, long.reason) == (Reason.DEADLINE_TOO_SHORT, None)

    run(main())


def test_a_throttled_call_makes_fewer_at_once_and_successes_more_again() -> None:
    async def main() -> None:
        gate = limiter(concurrency=10)
        callers = [Caller(gate) for _ in range(30)]
        await settle()
        gate.throttled()
        assert (gate.limit, gate.in_flight) == (7, 10)
        await asyncio.sleep(1.5)
        assert gate.in_flight == gate.limit == 8  # ten successes, seven of which were one more
        await ended(*callers)

    run(main())


def test_room_that_has_just_come_is_for_those_who_wait() -> None:
    async def main() -> None:
        gate = limiter(concurrency=2)
        gate.throttled()
        first, second = Caller(gate), Caller(gate)
        await settle()
        gate.succeeded(1.0)
        assert (gate.limit, gate.in_flight, gate.waiting, gate.has_room) == (2, 1, 1, False)
        await ended(first, second)

    run(main())


def test_the_limit_stands_still_if_that_is_wanted() -> None:
    async def main() -> None:
        gate = limiter(concurrency=10, adaptive=False)
        gate.throttled()
        assert gate.limit == 10

    run(main())


def test_nothing_starts_before_the_service_wants_it_to() -> None:
    async def main() -> None:
        gate = limiter(concurrency=10, max_hold=5.0)
        begun = now()
        gate.throttled(3.0)
        early = Caller(gate)
        await asyncio.sleep(1)
        gate.throttled(60.0)  # more than is granted
        assert not gate.has_room
        await ended(early)
        assert early.started_at - begun == pytest.approx(6.0)
        assert gate.has_room
        assert is_idle(gate)

    run(main())


def test_a_shorter_wish_does_not_shorten_a_longer_one() -> None:
    async def main() -> None:
        gate = limiter()
        gate.throttled(5.0)
        gate.throttled(1.0)
        caller = Caller(gate)
        await ended(caller)
        assert caller.waited == pytest.approx(5.0)

    run(main())


def test_a_waiter_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1, rate=0.1)
        holder = Caller(gate, seconds=2.0)
        waiters = [Caller(gate, f"t{n}") for n in range(3)]
        await asyncio.sleep(5)  # the place is free, and the rate holds them back
        assert gate._wake_up is not None
        for waiter in waiters:
            waiter.task.cancel()
        await ended(holder, *waiters)
        assert is_idle(gate)

    run(main())


def test_a_slot_that_comes_as_its_waiter_is_cancelled_goes_to_the_next() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        held = asyncio.Event()

        async def hold() -> None:
            async with gate.slot(UNHURRIED):
                await held.wait()
            unlucky.task.cancel()  # it has been given the slot, and has not run since

        holder = asyncio.create_task(hold())
        await settle()
        unlucky, following = Caller(gate), Caller(gate)
        await settle()
        held.set()
        await ended(unlucky, following)
        assert holder.done()
        assert unlucky.started_at is None
        assert following.started_at is not None
        assert is_idle(gate)

    run(main())


def test_a_turn_that_comes_too_late_goes_to_the_next() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        await ended(Caller(gate, seconds=1.0))
        slow = Caller(gate, seconds=4.0)
        late, following = Caller(gate, deadline=now() + 4.5), Caller(gate)  # its turn is expected in one second
        await settle()
        assert late.error is None
        await ended(late)
        assert (late.reason, late.started_at) == (Reason.DEADLINE_TOO_SHORT, None)
        assert slow.task.done()
        await ended(following)
        assert following.waited == pytest.approx(4.0)
        assert is_idle(gate)

    run(main())


@pytest.mark.parametrize("ending", ["late", "cancelled"])
def test_a_turn_that_is_not_made_use_of_costs_nothing_of_the_rate(ending) -> None:
    async def main() -> None:
        gate = limiter(concurrency=1, rate=0.1, burst=2)
        held = asyncio.Event()

        async def hold() -> None:
            async with gate.slot(UNHURRIED):
                await held.wait()
                gate.succeeded(5.0)
            if ending == "cancelled":
                unlucky.task.cancel()  # it has been given the slot, and has not run since

        begun = now()
        holder = asyncio.create_task(hold())
        await settle()
        unlucky = Caller(gate, deadline=now() + 4.0 if ending == "late" else math.inf)
        following = Caller(gate)
        await settle()
        held.set()
        await holder
        await ended(unlucky, following)
        assert unlucky.started_at is None
        assert following.started_at - begun == pytest.approx(0.0)
        assert is_idle(gate)

    run(main())


def test_a_turn_that_is_given_back_is_no_later_for_the_next() -> None:
    async def main() -> None:
        gate = limiter(concurrency=2, adaptive=False, rate=0.1, burst=3)
        held = asyncio.Event()

        async def hold() -> None:
            async with gate.slot(UNHURRIED):
                await held.wait()

        holders = [asyncio.create_task(hold()) for _ in range(2)]
        await settle()
        unlucky, following = Caller(gate), Caller(gate)
        await settle()

        async def interfere() -> None:
            await held.wait()
            # After the holders: a place, and the last call of the burst, are `unlucky`'s, who has not run since.
            assert (gate.in_flight, gate.waiting, timers()) == (1, 1, 3)
            gate.throttled(1.0)
            unlucky.task.cancel()

        interference = asyncio.create_task(interfere())
        await settle()
        held.set()
        begun = now()
        await asyncio.gather(*holders, interference)
        await ended(unlucky, following)
        assert unlucky.started_at is None
        assert following.started_at - begun == pytest.approx(1.0)
        assert is_idle(gate)

    run(main())


class TestSlotNow:
    def test_a_free_slot_is_taken(self) -> None:
        async def main() -> None:
            gate = limiter(concurrency=2, rate=1.0, burst=2)
            with gate.slot_now(UNHURRIED):
                assert gate.in_flight == 1
            with gate.slot_now(UNHURRIED), pytest.raises(GatewayError) as caught, gate.slot_now(UNHURRIED):  # over the rate
                pytest.fail("let in")
            assert caught.value.reason is Reason.OVERLOADED
            assert is_idle(gate)

        run(main())

    def test_it_never_waits(self) -> None:
        async def main() -> None:
            gate = limiter(concurrency=1)
            holder, waiter = Caller(gate), Caller(gate)
            await settle()
            with pytest.raises(GatewayError) as caught, gate.slot_now(UNHURRIED):
                pytest.fail("let in")
            assert caught.value.reason is Reason.OVERLOADED
            assert (gate.in_flight, gate.waiting) == (1, 1)
            await ended(holder, waiter)
            assert waiter.error is None
            assert is_idle(gate)

        run(main())

    def test_its_end_is_the_turn_of_who_waits(self) -> None:
        async def main() -> None:
            gate = limiter(concurrency=1)
            with gate.slot_now(UNHURRIED):
                waiter = Caller(gate)
                await asyncio.sleep(1)
            await ended(waiter)
            assert waiter.waited == pytest.approx(1.0)
            assert is_idle(gate)

        run(main())

    @pytest.mark.parametrize(("left", "reason"), [(1.9, Reason.DEADLINE_TOO_SHORT), (0.0, Reason.DEADLINE_EXCEEDED)])
    def test_not_for_what_cannot_be_done_in_time(self, left, reason) -> None:
        async def main() -> None:
            gate = limiter()
            await ended(Caller(gate, seconds=2.0))
            with pytest.raises(GatewayError) as caught, gate.slot_now(Call(deadline=now() + left)):
                pytest.fail("let in")
            assert caught.value.reason is reason
            with gate.slot_now(Call(deadline=now() + 2.1)):
                pass
            assert is_idle(gate)

        run(main())


def test_a_call_that_fails_gives_its_slot_back() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        with pytest.raises(ZeroDivisionError):
            async with gate.slot(UNHURRIED):
                raise ZeroDivisionError
        assert is_idle(gate)

    run(main())


def test_ten_thousand_may_wait() -> None:
    async def main() -> None:
        gate = limiter(concurrency=100, queue_length=10_000, queue_time=3600)
        callers = [Caller(gate, f"t{n % 97}") for n in range(10_100)]
        await settle()
        assert gate.waiting == 10_000
        for caller in callers[5000:]:
            caller.task.cancel()
        await ended(*callers)
        assert sum(caller.started_at is not None for caller in callers) == 5000
        assert is_idle(gate)

    run(main())


def is_accounted_for(caller: Caller) -> bool:
    """Whether it was cancelled, had its turn in time, or was told why not."""
    if caller.task.cancelled():
        return True
    caller.task.result()  # raises nothing but what a caller is told
    if caller.waited is not None:
        return caller.waited <= 5.0 + 1e-6
    in_a_hurry = {Reason.DEADLINE_TOO_SHORT, Reason.DEADLINE_EXCEEDED} if math.isfinite(caller.call.deadline) else set()
    return caller.reason in {Reason.OVERLOADED, *in_a_hurry}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.sampled_from("abc"), st.floats(0, 3), st.one_of(st.just(math.inf), st.floats(0.01, 6))),
        st.tuples(st.just("cancel"), st.integers(0, 40)),
        st.tuples(st.just("throttled"), st.one_of(st.none(), st.floats(0, 4))),
        st.tuples(st.just("sleep"), st.floats(0, 2)),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(1, 4), st.sampled_from([None, 2.0]), st.integers(0, 8))
def test_whatever_happens_the_bounds_hold_and_all_slots_come_back(steps, concurrency, rate, queue_length) -> None:
    async def main() -> None:
        gate = limiter(concurrency=concurrency, rate=rate, queue_length=queue_length, queue_time=5.0)
        callers: list[Caller] = []
        for kind, *arguments in steps:
            match kind:
                case "call":
                    tenant, seconds, left = arguments
                    callers.append(Caller(gate, tenant, seconds, now() + left))
                case "cancel":
                    if arguments[0] < len(callers):
                        callers[arguments[0]].task.cancel()
                case "throttled":
                    gate.throttled(arguments[0])
                case "sleep":
                    await asyncio.sleep(arguments[0])
            assert gate.in_flight <= concurrency
            assert gate.waiting <= queue_length
        await ended(*callers)
        assert is_idle(gate)
        assert all(is_accounted_for(caller) for caller in callers)
        for tenant in "abc":
            starts = [c.started_at for c in callers if c.call.tenant == tenant and c.started_at is not None]
            assert starts == sorted(starts)

    run(main())


def test_a_higher_limit_lets_those_who_wait_go_and_a_lower_one_holds_back() -> None:
    async def main() -> None:
        gate = limiter(concurrency=1)
        callers = [Caller(gate) for _ in range(4)]
        await settle()
        assert (gate.in_flight, gate.waiting) == (1, 3)
        gate.adopt(LimitSettings(concurrency=3))
        await settle()
        assert gate.in_flight == gate.limit == 3
        gate.adopt(LimitSettings(concurrency=2, queue_length=1))
        assert gate.limit == 2
        await ended(*callers)
        assert [caller.error for caller in callers] == [None] * 4
        assert is_idle(gate)
        held, *others = [Caller(gate) for _ in range(4)]
        await settle()
        assert [caller.reason for caller in others] == [None, None, Reason.OVERLOADED]
        await ended(held, *others)

    run(main())


def test_after_a_throttle_a_higher_limit_is_come_to_by_trying() -> None:
    async def main() -> None:
        gate = limiter(concurrency=10)
        gate.throttled()
        assert gate.limit == 7
        gate.adopt(LimitSettings(concurrency=20))
        assert gate.limit == 7
        gate.adopt(LimitSettings(concurrency=20, adaptive=False))
        assert gate.limit == 20

    run(main())


def test_a_rate_can_be_set_and_taken_away() -> None:
    async def main() -> None:
        gate = limiter(concurrency=100, rate=1, burst=1)
        begun = now()
        callers = [Caller(gate, seconds=0.0) for _ in range(3)]
        await settle()
        assert gate.waiting == 2
        gate.adopt(LimitSettings(concurrency=100))
        await ended(*callers)
        assert now() == begun
        gate.adopt(LimitSettings(concurrency=100, rate=2, burst=1))
        callers = [Caller(gate, seconds=0.0) for _ in range(3)]
        await ended(*callers)
        assert now() == pytest.approx(begun + 1.0)
        assert is_idle(gate)

    run(main())
