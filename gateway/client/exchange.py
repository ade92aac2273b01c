"""Calls made and heard out: an answer, or a `GatewayError`."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc

from gateway.client.convert import not_the_contract
from gateway.client.errors import read_call_error
from gateway.client.session import Item, Session
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
    session: Session[_Request, _Response, _Outcome], start: Callable[[AsyncIterator[_Request]], Any]
) -> AsyncGenerator[Item[_Outcome]]:
    """`start` the streaming call with the session's requests, and yield each item's outcome exactly once."""
    call = start(session.requests())
    failure = GatewayError(Reason.UNAVAILABLE, "the gateway ended the stream before it had answered this item")
    try:
        async with contextlib.aclosing(session.outcomes(call.read)) as outcomes:
            async for item in outcomes:
                yield item
    except grpc.aio.AioRpcError as error:
        failure = read_call_error(error)
    except GatewayError as error:
        failure = error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        failure = GatewayError(Reason.CANCELLED, "the stream was closed before the gateway had answered this item")
    finally:
        call.cancel()  # for a caller that stops early; without effect once the call has ended
    for item in session.rest(failure):
        yield item
        await asyncio.sleep(0)  # there may be many, and nothing else here waits
