"""Whether a failed attempt is followed by another one."""

from collections.abc import Callable
from typing import Final

from gateway.call import Call
from gateway.upstream.outcome import Attempt, Billed, Outcome
from gateway.upstream.resilience.backoff import Backoff
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.settings import RetrySettings

_PASSING: Final = frozenset({Outcome.THROTTLED, Outcome.FAILED, Outcome.NOT_SENT, Outcome.STALE, Outcome.LOST, Outcome.MALFORMED})
"""What another attempt can cure. `UNAUTHENTICATED` is not among them: new credentials cure it, not patience."""


class RetryPolicy:
    """Says how long to wait for the next attempt, or that there is none. Keeps nothing of a call."""

    def __init__(
        self, settings: RetrySettings, budget: RetryBudget, typical: Callable[[], float], random: Callable[[], float]
    ) -> None:
        """`typical` returns the seconds that an attempt needs; `random` a number from 0 up to 1."""
        self._attempts = settings.attempts
        self._lost_replies = settings.lost_replies
        self._backoff = Backoff(settings.base_delay, settings.max_delay, random)
        self._budget = budget
        self._typical = typical

    def delay(self, attempt_number: int, attempt: Attempt, call: Call, now: float) -> float | None:
        """Seconds to wait before the next attempt, or None if `attempt`, of that number from 1, was the last.

        A number was paid for from the budget: the next attempt should be made. After `STALE` it is 0, and the next attempt needs
        a connection of its own, on which the same cannot happen again. `now` and the call's deadline are on one clock.
        """
        if attempt_number >= self._attempts or not self._is_worth_it(attempt):
            return None
        delay = 0.0 if attempt.outcome is Outcome.STALE else self._backoff.delay(attempt_number, attempt.retry_after)
        # What could not be answered in time would be paid for nobody.
        if delay is None or now + delay + self._typical() >= call.deadline:
            return None
        return delay if self._budget.withdraw() else None

    def _is_worth_it(self, attempt: Attempt) -> bool:
        return attempt.outcome in _PASSING and (self._lost_replies or not may_have_worked(attempt))


def may_have_worked(attempt: Attempt) -> bool:
    """Whether the work may be done and billed, so that it would be twice if the call was made again."""
    # A status of 5xx is no success, hence not billed, even if a proxy says it of work that was done behind it. A server that
    # closes an idle connection has hardly read a request from it.
    return attempt.billed is not Billed.NO and attempt.outcome not in {Outcome.FAILED, Outcome.STALE}
