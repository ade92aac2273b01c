import math

import pytest

from gateway.call import UNHURRIED, Call
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.reply import HttpReply
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.retry import RetryPolicy
from gateway.upstream.resilience.settings import RetrySettings

NOW = 1000.0


def policy(budget=None, typical=0.0, random=0.5, **settings) -> RetryPolicy:
    return RetryPolicy(RetrySettings(**settings), budget or RetryBudget(0.2, 10), lambda: typical, lambda: random)


def failed(status: int) -> Attempt:
    return Attempt(Outcome.FAILED, HttpReply(status, {}, b""))


@pytest.mark.parametrize("lost_replies", [False, True])
@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_made_again(outcome, lost_replies) -> None:
    again = {Outcome.THROTTLED, Outcome.FAILED, Outcome.NOT_SENT, Outcome.STALE}
    if lost_replies:
        again |= {Outcome.LOST, Outcome.MALFORMED}
    delay = policy(lost_replies=lost_replies).delay(1, Attempt(outcome), UNHURRIED, NOW)
    assert (delay is not None) == (outcome in again)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_that_is_told_is_no_success_whoever_tells_it(status) -> None:
    assert policy().delay(1, failed(status), UNHURRIED, NOW) is not None


def test_the_number_of_attempts_is_the_one_that_is_set() -> None:
    three, one = policy(attempts=3), policy(attempts=1)
    assert [three.delay(n, failed(500), UNHURRIED, NOW) is not None for n in (1, 2, 3, 4)] == [True, True, False, False]
    assert one.delay(1, failed(500), UNHURRIED, NOW) is None
    assert one.delay(1, Attempt(Outcome.STALE), UNHURRIED, NOW) is None


def test_pauses_grow_and_a_stale_connection_needs_none() -> None:
    retries = policy(attempts=3, base_delay=0.2)
    assert retries.delay(1, failed(500), UNHURRIED, NOW) == pytest.approx(0.1)
    assert retries.delay(2, failed(500), UNHURRIED, NOW) == pytest.approx(0.2)
    assert retries.delay(1, Attempt(Outcome.STALE), UNHURRIED, NOW) == 0.0


def test_the_service_says_when() -> None:
    def throttled(seconds: float) -> Attempt:
        return Attempt(Outcome.THROTTLED, retry_after=seconds)

    assert policy().delay(1, throttled(3.0), UNHURRIED, NOW) == pytest.approx(3.1)
    assert policy(max_delay=20).delay(1, throttled(20.5), UNHURRIED, NOW) is None


@pytest.mark.parametrize(("left", "again"), [(0.1, False), (1.1, False), (1.11, True), (math.inf, True)])
def test_nothing_is_begun_that_the_deadline_would_cut_off(left, again) -> None:
    budget = RetryBudget(0.2, 10)
    delay = policy(budget, typical=1.0).delay(1, failed(500), Call(deadline=NOW + left), NOW)
    assert (delay is not None) == again
    assert budget.tokens == (9 if again else 10)


def test_the_budget_has_the_last_word_and_pays_for_attempts_only() -> None:
    budget = RetryBudget(0.2, 1)
    retries = policy(budget)
    assert retries.delay(1, Attempt(Outcome.REFUSED), UNHURRIED, NOW) is None
    assert retries.delay(3, failed(500), UNHURRIED, NOW) is None
    assert budget.tokens == 1
    assert retries.delay(1, failed(500), UNHURRIED, NOW) is not None
    assert retries.delay(1, failed(500), UNHURRIED, NOW) is None
    assert retries.delay(1, Attempt(Outcome.STALE), UNHURRIED, NOW) is None
