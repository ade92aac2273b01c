import asyncio

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.hedge import Hedged, HedgePolicy, hedged
from gateway.upstream.resilience.settings import HedgeSettings

from .virtual_time import now, run

OVERLOADED = GatewayError(Reason.OVERLOADED, "no slot")


class Send:
    """Takes so long and ends so."""

    def __init__(self, seconds: float, end: Outcome | Exception = Outcome.SUCCESS) -> None:
        self.seconds, self.end = seconds, end
        self.attempt = Attempt(end) if isinstance(end, Outcome) else None
        self.calls = 0
        self.cancelled = False

    async def __call__(self) -> Attempt:
        self.calls += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.attempt is None:
            raise self.end
        return self.attempt


def race(first: Send, second: Send, after: float = 1.0, permits: bool = True) -> tuple[Hedged, float]:
    async def main() -> tuple[Hedged, float]:
        begun = now()
        result = await hedged(first, second, after, lambda: permits)
        assert len(asyncio.all_tasks()) == 1
        return result, now() - begun

    return run(main())


def test_a_quick_call_is_made_once() -> None:
    first, second = Send(0.9), Send(0)
    assert race(first, second) == (Hedged(first.attempt), pytest.approx(0.9))
    assert second.calls == 0


def test_a_failure_is_no_reason_to_hedge() -> None:
    first, second = Send(0.5, Outcome.FAILED), Send(0)
    assert race(first, second)[0] == Hedged(first.attempt)
    assert second.calls == 0


def test_without_leave_a_slow_call_goes_on_alone() -> None:
    first, second = Send(5), Send(0)
    assert race(first, second, permits=False) == (Hedged(first.attempt), pytest.approx(5))
    assert second.calls == 0


def test_the_second_may_win_and_the_first_is_cancelled_and_counted() -> None:
    first, second = Send(5), Send(0.5)
    assert race(first, second) == (Hedged(second.attempt, abandoned=True), pytest.approx(1.5))
    assert first.cancelled


def test_the_first_may_win_and_the_second_is_cancelled_and_counted() -> None:
    first, second = Send(2), Send(5)
    assert race(first, second) == (Hedged(first.attempt, abandoned=True), pytest.approx(2))
    assert second.cancelled


def test_a_refusal_is_as_good_as_an_answer() -> None:
    first, second = Send(5), Send(0.5, Outcome.REFUSED)
    assert race(first, second)[0] == Hedged(second.attempt, abandoned=True)


@pytest.mark.parametrize("outcome", [Outcome.THROTTLED, Outcome.FAILED, Outcome.LOST, Outcome.UNAUTHENTICATED])
def test_what_says_nothing_leaves_the_word_to_the_other(outcome) -> None:
    first, second = Send(5), Send(0.5, outcome)
    assert race(first, second) == (Hedged(first.attempt, (second.attempt,)), pytest.approx(5))
    first, second = Send(2, outcome), Send(5)
    assert race(first, second) == (Hedged(second.attempt, (first.attempt,)), pytest.approx(6))


def test_two_failures_are_both_reported() -> None:
    first, second = Send(5, Outcome.FAILED), Send(0.5, Outcome.LOST)
    assert race(first, second)[0] == Hedged(first.attempt, (second.attempt,))


def test_two_answers_at_one_instant_are_both_reported() -> None:
    first, second = Send(2), Send(1)
    result, _ = race(first, second)
    assert result in (Hedged(first.attempt, (second.attempt,)), Hedged(first.attempt, abandoned=True))


def test_a_second_attempt_that_cannot_be_made_does_not_matter() -> None:
    first, second = Send(5), Send(0.5, OVERLOADED)
    assert race(first, second) == (Hedged(first.attempt), pytest.approx(5))


@pytest.mark.parametrize("seconds", [0.5, 2])
def test_what_the_first_raises_is_raised(seconds) -> None:
    second = Send(5)
    with pytest.raises(GatewayError):
        race(Send(seconds, OVERLOADED), second)
    assert second.cancelled == (second.calls == 1)


def test_what_the_first_raises_does_not_wait_for_the_second() -> None:
    second = Send(60, Outcome.FAILED)
    with pytest.raises(GatewayError):
        race(Send(3, OVERLOADED), second)
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
        assert len(asyncio.all_tasks()) == 1

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
