import asyncio
import contextlib

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.reply import HttpReply
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.hedge import HedgePolicy, UnderWay, hedged
from gateway.upstream.resilience.settings import HedgeSettings

from .virtual_time import now, run, timers

OVERLOADED = GatewayError(Reason.OVERLOADED, "no slot")
UNAVAILABLE = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "no credentials")
BAD_GATEWAY = Attempt(Outcome.FAILED, HttpReply(502, {}, b""))


class Send:
    """An attempt whose requests are under way for so many seconds each, after so many `before`; ends so."""

    def __init__(
        self, seconds: float, end: Outcome | Attempt | Exception = Outcome.SUCCESS, *, before: float = 0, requests: int = 1
    ) -> None:
        self.seconds, self.before, self.requests = seconds, before, requests
        self.end = Attempt(end) if isinstance(end, Outcome) else end
        self.calls = 0
        self.cancelled = False

    async def __call__(self, under_way: UnderWay = contextlib.nullcontext) -> Attempt:
        self.calls += 1
        try:
            for _ in range(self.requests):
                await asyncio.sleep(self.before)
                with under_way():
                    await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def race(first: Send, second: Send, after: float = 1.0, permits: bool = True) -> tuple[Attempt, float]:
    """The answer, and the seconds until it."""

    async def main() -> tuple[Attempt, float]:
        begun = now()
        try:
            return await hedged(first, second, after, lambda: permits), now() - begun
        finally:
            assert (len(asyncio.all_tasks()), timers()) == (1, 0)

    return run(main())


def test_a_quick_call_is_made_once() -> None:
    first, second = Send(0.9), Send(0)
    assert race(first, second) == (first.end, pytest.approx(0.9))
    assert second.calls == 0


def test_what_goes_before_a_request_is_no_reason_to_hedge() -> None:
    first, second = Send(0.9, before=5), Send(0)
    assert race(first, second) == (first.end, pytest.approx(5.9))
    assert second.calls == 0


def test_each_request_of_an_attempt_has_its_time() -> None:
    first, second = Send(0.9, before=5, requests=2), Send(0)
    assert race(first, second)[0] is first.end
    assert second.calls == 0


def test_the_time_is_that_of_the_request() -> None:
    first, second = Send(5, before=5), Send(0.5)
    assert race(first, second) == (second.end, pytest.approx(6.5))


def test_a_failure_is_no_reason_to_hedge() -> None:
    first, second = Send(0.5, Outcome.FAILED), Send(0)
    assert race(first, second)[0] is first.end
    assert second.calls == 0


def test_without_leave_a_slow_call_goes_on_alone() -> None:
    first, second = Send(5), Send(0)
    assert race(first, second, permits=False) == (first.end, pytest.approx(5))
    assert second.calls == 0


def test_the_second_may_win_and_the_first_is_cancelled() -> None:
    first, second = Send(5), Send(0.5)
    answer, seconds = race(first, second)
    assert answer is second.end
    assert seconds == pytest.approx(1.5)
    assert first.cancelled


def test_the_first_may_win_and_the_second_is_cancelled() -> None:
    first, second = Send(2), Send(5)
    answer, seconds = race(first, second)
    assert answer is first.end
    assert seconds == pytest.approx(2)
    assert second.cancelled


def test_a_refusal_is_as_good_as_an_answer() -> None:
    first, second = Send(5), Send(0.5, Outcome.REFUSED)
    assert race(first, second)[0] is second.end
    assert first.cancelled


@pytest.mark.parametrize("end", [Outcome.THROTTLED, Outcome.FAILED, Outcome.LOST, Outcome.UNAUTHENTICATED])
def test_what_says_nothing_leaves_the_word_to_the_other(end) -> None:
    first, second = Send(5), Send(0.5, end)
    assert race(first, second) == (first.end, pytest.approx(5))
    first, second = Send(2, end), Send(5)
    assert race(first, second) == (second.end, pytest.approx(6))


@pytest.mark.parametrize("may_have_worked", [Outcome.LOST, Outcome.MALFORMED])
@pytest.mark.parametrize("other", [Outcome.THROTTLED, Outcome.NOT_SENT, Outcome.STALE, BAD_GATEWAY])
@pytest.mark.parametrize("seconds", [2, 5])
def test_of_two_failures_the_one_decides_that_may_have_worked(may_have_worked, other, seconds) -> None:
    for ends in ((may_have_worked, other), (other, may_have_worked)):
        first, second = Send(seconds, ends[0]), Send(2, ends[1])
        assert race(first, second)[0].outcome is may_have_worked
        assert (first.calls, second.calls) == (1, 1)


def test_of_two_equal_failures_the_first_decides() -> None:
    first, second = Send(5, Outcome.FAILED), Send(0.5, Outcome.THROTTLED)
    assert race(first, second)[0] is first.end


def test_a_second_attempt_that_cannot_be_made_does_not_matter() -> None:
    first, second = Send(5), Send(0.5, OVERLOADED)
    assert race(first, second) == (first.end, pytest.approx(5))


def test_what_a_first_attempt_without_a_second_raises_is_raised() -> None:
    second = Send(5)
    with pytest.raises(GatewayError) as caught:
        race(Send(0.5, OVERLOADED), second)
    assert caught.value is OVERLOADED
    assert second.calls == 0


@pytest.mark.parametrize("end", [Outcome.SUCCESS, Outcome.LOST, Outcome.FAILED])
@pytest.mark.parametrize("seconds", [0.5, 1, 5])
def test_what_the_first_raises_leaves_the_word_to_the_second(end, seconds) -> None:
    first, second = Send(2, OVERLOADED), Send(seconds, end)
    assert race(first, second)[0] is second.end
    assert not second.cancelled


def test_if_neither_could_be_made_it_is_told_why_the_first_was_not() -> None:
    for first, second in ((Send(2, UNAVAILABLE), Send(0.5, OVERLOADED)), (Send(2, UNAVAILABLE), Send(5, OVERLOADED))):
        with pytest.raises(GatewayError) as caught:
            race(first, second)
        assert caught.value is UNAVAILABLE
        assert second.calls == 1


def test_an_error_of_the_program_is_not_hidden_by_the_other_attempt() -> None:
    second = Send(60)
    with pytest.raises(ZeroDivisionError):
        race(Send(3, ZeroDivisionError()), second)
    assert second.cancelled


@pytest.mark.parametrize("moment", [0.5, 1.5])
def test_cancelling_cancels_both(moment) -> None:
    first, second = Send(5), Send(5)

    async def main() -> None:
        task = asyncio.create_task(hedged(first, second, 1.0, lambda: True))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (len(asyncio.all_tasks()), timers()) == (1, 0)

    run(main())
    assert first.cancelled
    assert second.cancelled == (moment > 1)


class TestPolicy:
    def count(self, calls: int, *, budget: RetryBudget, room: bool = True, **values) -> int:
        """How many of so many slow calls are hedged."""
        policy = HedgePolicy(HedgeSettings(**values), budget, lambda: room)
        second = Send(0)

        async def main() -> None:
            for _ in range(calls):
                budget.deposit()
                await policy.run(Send(5), second)

        run(main())
        return second.calls

    def test_none_unless_it_is_wanted(self) -> None:
        budget = RetryBudget(0.2, 10)
        assert self.count(10, budget=budget) == 0
        assert budget.tokens == 10

    def test_its_share_of_the_calls(self) -> None:
        assert self.count(200, budget=RetryBudget(0.2, 10), after=1.0, share=0.05) == pytest.approx(10, abs=1)

    def test_no_more_than_the_budget_of_all_further_attempts(self) -> None:
        budget = RetryBudget(0.0, 3)
        assert self.count(100, budget=budget, after=1.0, share=1.0) == 3

    def test_what_is_not_hedged_is_not_paid_for(self) -> None:
        budget = RetryBudget(0.0, 100)
        hedges = self.count(60, budget=budget, after=1.0, share=0.05)
        assert budget.tokens == 100 - hedges

    def test_nobody_loses_a_turn_for_it(self) -> None:
        budget = RetryBudget(0.2, 10)
        assert self.count(100, budget=budget, room=False, after=1.0) == 0
        assert budget.tokens == 10
