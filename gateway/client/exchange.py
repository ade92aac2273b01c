"""Calls made and heard out: an answer, or a `GatewayError`."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import grpc

from gateway.client.convert import not_the_contract
from gateway.client.errors import read_call_error
from gateway.client.flow import Resumption, is_rejection
from gateway.client.session import Item, Session
from gateway.client.true_status import keep_true_status
from gateway.errors import GatewayError, Reason

_Outcome = TypeVar("_Outcome")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


async def answer_to(call: Awaitable[_Response | None]) -> _Response:
    """The response of a unary call. Raises `GatewayError`."""
    try:
        response = await call
    except grpc.aio.AioRpcError as error:
        raise read_call_error(error) from error
    if response is None:  # what grpcio makes of bytes that are no message
        raise not_the_contract()
    return response


async def outcomes_of(
    session: Session[_Request, _Response, _Outcome],
    start: Callable[..., Any],
    *,
    timeout: float | None = None,
    resumption: Resumption | None = None,
) -> AsyncGenerator[Item[_Outcome]]:
    """`start` the streaming call with the session's requests, and yield each item's outcome exactly once.

    `start` is the stub's method. `timeout`: seconds for the whole stream, whatever calls it takes.
    """
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout
    resumption = resumption or Resumption(0)
    try:
        while True:
            failure = GatewayError(Reason.UNAVAILABLE, "the gateway ended the stream before it had answered this item")
            answers = session.answers
            call = start(session.requests(), timeout=None if deadline is None else deadline - loop.time())
            keep_true_status(call)
            try:
                async with contextlib.aclosing(_heard(session, call)) as outcomes:
                    async for item in outcomes:
                        yield item
                break
            except GatewayError as error:
                failure = error
            if session.answers > answers:
                resumption.progressed()
            if not await resumption.granted(failure):
                break
            session.resume(failure, is_rejection=is_rejection(failure))
        async with contextlib.aclosing(session.rest(failure)) as rest:
            async for item in rest:
                yield item
                await asyncio.sleep(0)  # there may be many, and nothing else here waits
    finally:
        await session.aclose()


async def _heard(session: Session[_Request, _Response, _Outcome], call: Any) -> AsyncGenerator[Item[_Outcome]]:  # noqa: ANN401  # grpc.aio's calls have no public type in common with its stubs'
    """The outcomes that come over one call. Raises `GatewayError` if it fails."""
    try:
        async with contextlib.aclosing(session.outcomes(call.read)) as outcomes:
            async for item in outcomes:
                yield item
    except grpc.aio.AioRpcError as error:
        raise read_call_error(error) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise GatewayError(Reason.CANCELLED, "the stream was closed before the gateway had answered this item") from error
    finally:
        call.cancel()  # for a caller that stops early; without effect once the call has ended
