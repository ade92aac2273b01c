"""One call to the cloud: the policies around its attempts."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, cast

from gateway.call import Call
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import ImageUri
from gateway.upstream.attempts import Attempts, Success
from gateway.upstream.course import Course, P, R, Source
from gateway.upstream.credentials.protocol import Credential
from gateway.upstream.metrics import CANCELLED, UpstreamMetrics
from gateway.upstream.operations import Operation
from gateway.upstream.outcome import Attempt
from gateway.upstream.policies import Policies
from gateway.upstream.resilience.breaker import Breaker, Breakers
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.hedge import HedgePolicy
from gateway.upstream.resilience.limiter import Limiter
from gateway.upstream.resilience.retry import RetryPolicy
from gateway.upstream.transport import Transport


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A result and how it came about; times are seconds."""

    result: R
    attempts: int
    request_ids: tuple[str, ...]
    queue_time: float
    work_time: float


class CloudClient:
    """Makes calls of one account at one endpoint. Lives inside one event loop."""

    def __init__(
        self,
        endpoint: str,
        transport: Transport,
        credential: Credential,
        policies: Policies,
        metrics: UpstreamMetrics,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`endpoint` is the image service's base URL. The client closes neither `transport` nor `credential`. `clock` is that of
        the callers' deadlines, `sleep` waits for some seconds of it."""
        self._endpoint = endpoint
        self._metrics = metrics
        self._clock = clock
        self._sleep = sleep
        limiter = Limiter(policies.limit, clock)
        self._breakers = Breakers(policies.breaker, clock, random.random)
        self._budget = RetryBudget(policies.retry.budget_share, policies.retry.budget_reserve)
        self._retry = RetryPolicy(policies.retry, self._budget, lambda: limiter.service_time.quick, random.random)
        self._hedge = HedgePolicy(policies.hedge, self._budget, lambda: limiter.has_room)
        self._attempts = Attempts(endpoint, transport, credential, limiter, metrics, clock)
        metrics.show("in_flight", "Calls under way.", lambda: limiter.in_flight)
        metrics.show("waiting", "Calls that wait for their turn.", lambda: limiter.waiting)
        metrics.show("limit", "Calls at once that are allowed now.", lambda: limiter.limit)
        metrics.show("retry_budget", "Further attempts that may be made now.", lambda: self._budget.tokens)
        metrics.show_breakers(lambda: [(name, state) for (_, name), state in self._breakers.states().items()])

    async def call(self, operation: Operation[P, R], source: Source, parameters: P, call: Call) -> Answer[R]:
        """Make one call, by the caller's deadline. Raises `GatewayError`, which says how many requests were made for it.

        Cancelling it cancels the request that is under way.
        """
        course = Course(operation, source, parameters, call)
        started_at = self._clock()
        ended = CANCELLED
        try:
            if not isinstance(source, ImageUri):
                operation.check(course.data)  # what the cloud would refuse need not be sent
            async with call.bounded():
                result = await self._result(course)
            ended = "ok"
        except GatewayError as error:
            ended = error.reason.value
            error.upstream = replace(error.upstream or UpstreamDetail(), attempts=course.attempts)
            raise
        finally:
            self._metrics.called(operation.name, call.tenant, ended, course.queue_time)
        work_time = self._clock() - started_at - course.queue_time
        return Answer(result, course.attempts, tuple(course.request_ids), course.queue_time, work_time)

    async def _result(self, course: Course[P, R]) -> R:
        breaker = self._breakers.of(self._endpoint, course.operation.name)
        self._budget.deposit()
        number = 0
        while True:
            number += 1
            breaker.check()  # before the wait for a place, which would be in vain
            hedged = await self._hedge.run(
                partial(self._attempts.make, course, breaker), partial(self._second_attempt, course, breaker)
            )
            attempt = hedged.answer
            if isinstance(attempt, Success):
                return cast("R", attempt.result)
            delay = self._retry.delay(number, attempt, course.call, self._clock())
            if delay is None:
                raise attempt.error or GatewayError(Reason.INTERNAL, "an attempt has neither a result nor an error")
            self._metrics.retried(attempt.outcome)
            await self._sleep(delay)  # without a place meanwhile: others may go on

    async def _second_attempt(self, course: Course[Any, Any], breaker: Breaker) -> Attempt:
        self._metrics.hedged()
        return await self._attempts.make(course, breaker)
