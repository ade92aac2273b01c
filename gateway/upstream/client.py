"""One call to the cloud: the policies around its attempts."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Generic, NamedTuple, cast

from gateway import obs
from gateway.call import Call
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import ImageUri
from gateway.upstream.attempts import Attempts, Success
from gateway.upstream.course import Course, P, R, Source
from gateway.upstream.credentials.protocol import Credential
from gateway.upstream.metrics import CANCELLED, UpstreamMetrics
from gateway.upstream.operations import Operation
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.policies import Policies
from gateway.upstream.resilience.breaker import Breaker, Breakers
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.hedge import HedgePolicy
from gateway.upstream.resilience.limiter import Limiter
from gateway.upstream.resilience.retry import RetryPolicy
from gateway.upstream.spending import Spending, Unlimited
from gateway.upstream.transport import Transport

_NOT_BEGUN: Final = frozenset(
    {
        Reason.UPSTREAM_SUSPENDED,
        Reason.OVERLOADED,
        Reason.DEADLINE_TOO_SHORT,
        Reason.BUDGET_EXHAUSTED,
        Reason.BUDGET_UNKNOWN,
    }
)
"""Why an attempt was not made."""


_REFUSAL_COUNTS: Final = 60.0
"""Seconds. Then calls have to be let through again to see whether anything has changed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A result and how it came about; times are seconds."""

    result: R
    attempts: int
    request_ids: tuple[str, ...]
    queue_time: float
    work_time: float


class Service(NamedTuple):
    """An image service: its base URL, and the region whose object store it reads, if that is known."""

    url: str
    region: str | None = None


class CloudClient:
    """Makes calls of one account at one endpoint. Lives inside one event loop."""

    def __init__(  # noqa: PLR0913  # three have defaults
        self,
        service: Service,
        transport: Transport,
        credential: Credential,
        policies: Policies,
        metrics: UpstreamMetrics,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        spending: Spending | None = None,
    ) -> None:
        """The client closes neither `transport` nor `credential`. `clock` is that of the callers' deadlines, `sleep` waits for so
        many seconds of it. `spending`: what calls may cost, if that is bounded."""
        self._service = service
        self._spending = spending or Unlimited()
        self._metrics = metrics
        self._clock = clock
        self._refusal: GatewayError | None = None
        self._refused_at = -math.inf
        self._sleep = sleep
        limiter = self._limiter = Limiter(policies.limit, clock)
        self._breakers = Breakers(policies.breaker, clock, random.random)
        self._budget = RetryBudget(policies.retry.budget_share, policies.retry.budget_reserve)
        self._retry, self._hedge = self._of(policies)
        self._attempts = Attempts(service.url, transport, credential, limiter, self._budget, metrics, clock)
        metrics.show("in_flight", "Calls under way.", lambda: limiter.in_flight)
        metrics.show("waiting", "Calls that wait for their turn.", lambda: limiter.waiting)
        metrics.show("limit", "Calls at once that are allowed now.", lambda: limiter.limit)
        metrics.show(
            "pause_seconds", "Time for which no call may start, by the cloud's wish or by the rate.", lambda: limiter.pause
        )
        metrics.show("retry_budget", "Further attempts that may be made now.", lambda: self._budget.tokens)
        metrics.show_count(
            "retry_budget_refusals", "Further attempts that the budget did not allow.", lambda: self._budget.refusals
        )
        metrics.show_credential(credential.holding)
        metrics.show_breakers(lambda: [(name, state) for (_, name), state in self._breakers.states().items()])

    def adopt(self, policies: Policies) -> None:
        """From now on by these policies. Calls under way go on; their next attempts are made by the new ones."""
        self._limiter.adopt(policies.limit)
        self._breakers.adopt(policies.breaker)
        self._budget.change(policies.retry.budget_share, policies.retry.budget_reserve)
        self._retry, self._hedge = self._of(policies)

    def _of(self, policies: Policies) -> tuple[RetryPolicy, HedgePolicy]:
        limiter, budget = self._limiter, self._budget
        return (
            RetryPolicy(policies.retry, budget, lambda: limiter.service_time.quick, random.random),
            HedgePolicy(policies.hedge, budget, lambda: limiter.has_room),
        )

    async def call(self, operation: Operation[P, R], source: Source, parameters: P, call: Call) -> Answer[R]:
        """Make one call, by the caller's deadline. Raises `GatewayError`, which says how many requests were made for it.

        Cancelling it cancels the request that is under way.
        """
        course = Course(operation, source, parameters, call, self._spending.purse(call.tenant))
        started_at = self._clock()
        ended = CANCELLED
        try:
            # What the cloud would refuse need not be sent.
            if isinstance(source, ImageUri):
                obs.check_usable(source.uri, time.time(), self._service.region)
            else:
                operation.check(course.data)
            async with call.bounded():
                result = await self._result(course)
            ended = "ok"
        except GatewayError as error:
            ended = error.reason.value
            error.upstream = replace(error.upstream or UpstreamDetail(), attempts=course.attempts)
            raise
        except asyncio.CancelledError:
            if self._clock() >= call.deadline:  # a bound on the same deadline, further out, was quicker
                ended = Reason.DEADLINE_EXCEEDED.value
            raise
        finally:
            course.purse.close()
            self._metrics.called(operation.name, call.tenant, ended, course.queue_time)
        work_time = self._clock() - started_at - course.queue_time
        return Answer(result, course.attempts, tuple(course.request_ids), course.queue_time, work_time)

    async def _result(self, course: Course[P, R]) -> R:
        breaker = self._breakers.of(self._service.url, course.operation.name)
        number = 0
        attempt: Attempt | None = None
        while True:
            number += 1
            try:
                attempt = await self._attempt(course, breaker)
            except GatewayError as error:
                if attempt is None or attempt.error is None or error.reason not in _NOT_BEGUN:
                    raise
                # What the cloud said before tells more than that it is not asked again.
                attempt.error.retry_after = error.retry_after
                raise attempt.error from error
            if isinstance(attempt, Success):
                self._refusal = None
                return cast("R", attempt.result)
            failure = attempt.error or GatewayError(Reason.INTERNAL, "an attempt has neither a result nor an error")
            self._note_refusal(attempt)
            try:
                breaker.check()  # before the retry budget is asked for an attempt that would not be made
            except GatewayError as error:
                failure.retry_after = failure.retry_after or error.retry_after
                raise failure from error
            delay = self._retry.delay(number, attempt, course.call, self._clock())
            if delay is None:
                raise failure
            self._metrics.retried(attempt.outcome)
            await self._sleep(delay)  # without a place meanwhile: others may go on

    def _note_refusal(self, attempt: Attempt) -> None:
        if attempt.outcome is not Outcome.UNAUTHENTICATED or attempt.error is None:
            return
        now = self._clock()
        if now >= self._refused_at + _REFUSAL_COUNTS:  # else one operation that is refused would fill the log
            _log.warning("the cloud does not take the gateway's credentials: %s", attempt.error)
        self._refusal, self._refused_at = attempt.error, now

    def check(self) -> None:
        """Raise `GatewayError` if the cloud did not take the credentials of the last call, and that is not long ago."""
        if self._refusal is not None and self._clock() < self._refused_at + _REFUSAL_COUNTS:
            raise GatewayError(self._refusal.reason, self._refusal.message, upstream=self._refusal.upstream)

    async def _attempt(self, course: Course[Any, Any], breaker: Breaker) -> Attempt:
        breaker.check()  # before the wait for a place, which would be in vain
        await course.purse.reserve()  # likewise
        return await self._hedge.run(
            partial(self._attempts.make, course, breaker), partial(self._attempts.make_now, course, breaker)
        )
