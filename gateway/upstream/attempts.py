"""One attempt: credentials, body, exchange, result; counted, and told to whoever decides by it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from gateway.errors import GatewayError
from gateway.telemetry.stage import stage
from gateway.telemetry.tracing import mark_failed
from gateway.upstream.course import Course, P, R
from gateway.upstream.credentials.protocol import Credential, Grant
from gateway.upstream.metrics import CANCELLED, UpstreamMetrics
from gateway.upstream.outcome import Attempt, Billed, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.resilience.breaker import Breaker
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.hedge import UnderWay
from gateway.upstream.resilience.limiter import Limiter
from gateway.upstream.transport import Transport, check_length
from gateway.upstream.verdict import malformed

_INLINE_BYTES: Final = 256 << 10
"""Up to this size a body is built, signed or read where the call stands (in well under 0.5 ms): a hop to a thread costs more."""

_PATIENCE: Final = 1.0
"""Seconds that a request is given, however quick others are, before it counts as hanging."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Success(Attempt, Generic[R]):
    """An attempt whose reply has been read."""

    result: R | None = None


class Attempts:
    """Makes attempts of one account at one endpoint."""

    def __init__(
        self,
        endpoint: str,
        transport: Transport,
        credential: Credential,
        limiter: Limiter,
        budget: RetryBudget,
        metrics: UpstreamMetrics,
        clock: Callable[[], float],
    ) -> None:
        """`endpoint`: base URL of the image service. `clock`: seconds from any instant on."""
        self._endpoint = endpoint
        self._transport = transport
        self._credential = credential
        self._limiter = limiter
        self._budget = budget
        self._metrics = metrics
        self._clock = clock

    async def make(self, course: Course[Any, Any], breaker: Breaker, under_way: UnderWay = contextlib.nullcontext) -> Attempt:
        """One attempt, and another with new credentials if those are refused and it makes sense. `under_way` is entered while a
        request is.

        Raises `GatewayError` if none was made: no place was to be had, or no credentials, or calls are suspended.
        """
        async with self._slot(course):
            return await self._placed(course, breaker, under_way)

    async def make_now(self, course: Course[Any, Any], breaker: Breaker) -> Attempt:
        """A second attempt beside a slow first one. Raises `GatewayError` also if it would have to wait for a place."""
        with self._limiter.slot_now(course.call):
            self._metrics.hedged()
            return await self._placed(course, breaker, contextlib.nullcontext)

    async def _placed(self, course: Course[Any, Any], breaker: Breaker, under_way: UnderWay) -> Attempt:
        attempt, worth_another = await self._granted(course, breaker, under_way)
        if worth_another:
            attempt, _ = await self._granted(course, breaker, under_way)
        return attempt

    @contextlib.asynccontextmanager
    async def _slot(self, course: Course[Any, Any]) -> AsyncIterator[None]:
        """A place, and the wait for it told, whether it came or not."""
        asked_at = self._clock()
        waiting = True
        try:
            async with contextlib.AsyncExitStack() as place:
                with stage("queue"):
                    await place.enter_async_context(self._limiter.slot(course.call))
                waiting = False
                course.queue_time += self._clock() - asked_at
                yield
        finally:
            if waiting:
                course.queue_time += self._clock() - asked_at

    async def _granted(self, course: Course[Any, Any], breaker: Breaker, under_way: UnderWay) -> tuple[Attempt, bool]:
        """An attempt, and whether its credentials were refused such that one with new ones makes sense."""
        with stage("attempt", {"image_gateway.operation": course.operation.name}) as span:
            grant = await self._credential.grant()
            attempt = await self._sent(course, breaker, grant, under_way)
            if attempt.outcome is not Outcome.SUCCESS:
                mark_failed(span, attempt.outcome.value)
        if attempt.outcome is Outcome.SUCCESS:
            grant.accepted()
        if attempt.outcome is not Outcome.UNAUTHENTICATED or attempt.error is None or attempt.reply is None:
            return attempt, False
        return attempt, grant.refused(attempt.error, attempt.reply)

    async def _sent(self, course: Course[Any, Any], breaker: Breaker, grant: Grant, under_way: UnderWay) -> Attempt:
        with breaker.admit() as passage:
            # Built anew for each attempt: what waits for one holds the picture, and not its larger encoding, too.
            outgoing = await self._outgoing(course, grant)
            headers = await _off_the_loop(len(outgoing.body), partial(grant.headers, outgoing))
            started_at = self._clock()
            try:
                attempt = await self._exchanged(course, outgoing, headers, under_way)
            except asyncio.CancelledError:
                if self._hangs(course, started_at):
                    passage.record(Outcome.LOST)
                raise
            passage.record(_for_breaker(attempt))
        return attempt

    def _hangs(self, course: Course[Any, Any], started_at: float) -> bool:
        """Whether a request that its caller's deadline ended had as much time as others need, and more."""
        now = self._clock()
        return now >= course.call.deadline and now - started_at >= max(_PATIENCE, 3 * self._limiter.service_time.mean)

    async def _outgoing(self, course: Course[P, R], grant: Grant) -> Outgoing:
        body = await _off_the_loop(len(course.data), partial(course.body, secrets.token_hex(16)))
        check_length(len(body.content))
        return course.operation.outgoing(self._endpoint, grant.project_id, body)

    async def _exchanged(
        self, course: Course[Any, Any], outgoing: Outgoing, headers: Mapping[str, str], under_way: UnderWay
    ) -> Attempt:
        await course.purse.cover()
        if not course.attempts:
            # Not before: calls that come to nothing earn nothing for the retries of those that get through.
            self._budget.deposit()
        course.attempts += 1
        started_at = self._clock()
        try:
            with under_way():
                attempt = await self._transport.send(outgoing, headers)
        except BaseException:
            self._count(course, CANCELLED, Billed.MAYBE, started_at)
            raise
        seconds = self._clock() - started_at
        if attempt.error is not None:
            attempt.error.reason = course.operation.reasons.get(attempt.error.reason, attempt.error.reason)
        if attempt.outcome is Outcome.SUCCESS and attempt.reply is not None:
            try:
                attempt = await _off_the_loop(len(attempt.reply.body), partial(_read, course, attempt.reply))
            finally:  # the work is done, and billed, even if nobody waits for the result any more
                self._count(course, attempt.outcome, attempt.billed, started_at)
        else:
            self._count(course, attempt.outcome, attempt.billed, started_at)
        if attempt.reply is not None and attempt.reply.request_id:
            course.request_ids.append(attempt.reply.request_id)
        if attempt.outcome is Outcome.SUCCESS:
            self._limiter.succeeded(seconds)
        elif attempt.outcome is Outcome.THROTTLED:
            self._limiter.throttled(attempt.retry_after)
        return attempt

    def _count(self, course: Course[Any, Any], outcome: str, billed: Billed, started_at: float) -> None:
        course.purse.settle(billed)
        self._metrics.attempted(course.operation.name, course.call.tenant, outcome, billed, self._clock() - started_at)


def _for_breaker(attempt: Attempt) -> Outcome:
    """How an attempt bears on whether its operation works. That an algorithm failed may be the picture's own doing, so it says no
    more than that the service is there: or else two odd pictures would suspend the operation for everybody."""
    if attempt.outcome is Outcome.FAILED and attempt.reply is not None and attempt.reply.status < 500:
        return Outcome.REFUSED
    return attempt.outcome


def _read(course: Course[Any, R], reply: HttpReply) -> Attempt:
    try:
        return Success(Outcome.SUCCESS, reply, result=course.operation.read(reply, course.parameters))
    except GatewayError as error:
        return malformed(reply, error)


async def _off_the_loop(length: int, work: Callable[[], _T]) -> _T:
    return work() if length <= _INLINE_BYTES else await asyncio.to_thread(work)
