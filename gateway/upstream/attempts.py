"""One attempt: credentials, body, exchange, result; counted, and told to whoever decides by it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from gateway.errors import GatewayError
from gateway.upstream.course import Course, P, R
from gateway.upstream.credentials.protocol import Credential, Grant
from gateway.upstream.metrics import CANCELLED, UpstreamMetrics
from gateway.upstream.outcome import Attempt, Billed, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.resilience.breaker import Breaker
from gateway.upstream.resilience.limiter import Limiter
from gateway.upstream.transport import Transport, check_length
from gateway.upstream.verdict import malformed

_INLINE_BYTES: Final = 256 << 10
"""Up to this size a body is built, signed or read where the call stands (in well under 0.5 ms): a hop to a thread costs more."""

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
        metrics: UpstreamMetrics,
        clock: Callable[[], float],
    ) -> None:
        """`endpoint`: base URL of the image service. `clock`: seconds from any instant on."""
        self._endpoint = endpoint
        self._transport = transport
        self._credential = credential
        self._limiter = limiter
        self._metrics = metrics
        self._clock = clock

    async def make(self, course: Course[Any, Any], breaker: Breaker) -> Attempt:
        """One attempt, and another with new credentials if those are refused and it makes sense.

        Raises `GatewayError` if none was made: no place was to be had, or no credentials, or calls are suspended.
        """
        async with self._limiter.slot(course.call) as slot:
            course.queue_time += slot.waited
            attempt, worth_another = await self._granted(course, breaker)
            if worth_another:
                attempt, _ = await self._granted(course, breaker)
            return attempt

    async def _granted(self, course: Course[Any, Any], breaker: Breaker) -> tuple[Attempt, bool]:
        """An attempt, and whether its credentials were refused such that one with new ones makes sense."""
        grant = await self._credential.grant()
        attempt = await self._sent(course, breaker, grant)
        if attempt.outcome is Outcome.SUCCESS:
            grant.accepted()
        if attempt.outcome is not Outcome.UNAUTHENTICATED or attempt.error is None or attempt.reply is None:
            return attempt, False
        return attempt, grant.refused(attempt.error, attempt.reply)

    async def _sent(self, course: Course[Any, Any], breaker: Breaker, grant: Grant) -> Attempt:
        with breaker.admit() as passage:
            # Built anew for each attempt: what waits for one holds the picture, and not its larger encoding, too.
            outgoing = await self._outgoing(course, grant)
            headers = await _off_the_loop(len(outgoing.body), partial(grant.headers, outgoing))
            attempt = await self._exchanged(course, outgoing, headers)
            passage.record(attempt.outcome)
        return attempt

    async def _outgoing(self, course: Course[P, R], grant: Grant) -> Outgoing:
        body = await _off_the_loop(len(course.data), partial(course.body, secrets.token_hex(16)))
        check_length(len(body.content))
        return course.operation.outgoing(self._endpoint, grant.project_id, body)

    async def _exchanged(self, course: Course[Any, Any], outgoing: Outgoing, headers: Any) -> Attempt:  # noqa: ANN401
        course.attempts += 1
        started_at = self._clock()
        try:
            attempt = await self._transport.send(outgoing, headers)
        except asyncio.CancelledError:
            self._count(course, CANCELLED, Billed.MAYBE, started_at)
            raise
        seconds = self._clock() - started_at
        if attempt.error is not None:
            attempt.error.reason = course.operation.reasons.get(attempt.error.reason, attempt.error.reason)
        if attempt.outcome is Outcome.SUCCESS and attempt.reply is not None:
            attempt = await _off_the_loop(len(attempt.reply.body), partial(_read, course, attempt.reply))
        self._count(course, attempt.outcome, attempt.billed, started_at)
        if attempt.reply is not None and attempt.reply.request_id:
            course.request_ids.append(attempt.reply.request_id)
        if attempt.outcome is Outcome.SUCCESS:
            self._limiter.succeeded(seconds)
        elif attempt.outcome is Outcome.THROTTLED:
            self._limiter.throttled(attempt.retry_after)
        return attempt

    def _count(self, course: Course[Any, Any], outcome: str, billed: Billed, started_at: float) -> None:
        self._metrics.attempted(course.operation.name, course.call.tenant, outcome, billed, self._clock() - started_at)


def _read(course: Course[Any, R], reply: HttpReply) -> Attempt:
    try:
        return Success(Outcome.SUCCESS, reply, result=course.operation.read(reply, course.parameters))
    except GatewayError as error:
        return malformed(reply, error)


async def _off_the_loop(length: int, work: Callable[[], _T]) -> _T:
    return work() if length <= _INLINE_BYTES else await asyncio.to_thread(work)
