"""How calls end: in an answer, or in the status of what went wrong."""

import contextlib
import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NoReturn, TypeVar

from grpc import StatusCode, aio

from gateway.errors import GatewayError, Reason
from gateway.rpc.calls import Calls
from gateway.rpc.status import pushback, to_status
from gateway.telemetry.scope import current_scope

_log = logging.getLogger(__name__)

Context = aio.ServicerContext[Any, Any]

_Answer = TypeVar("_Answer")


async def answered(context: Context, calls: Calls, work: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """What `work` gives, as one of `calls`; a `GatewayError` ends the call."""
    try:
        with calls.entered():
            return await work()
    except GatewayError as error:
        await abort(context, error)


@contextlib.contextmanager
def incidents() -> Iterator[None]:
    """Make an `INTERNAL` of what nobody foresaw: the log has its details, the caller a number to ask for."""
    try:
        yield
    except GatewayError:
        raise
    except Exception as error:
        incident = secrets.token_hex(8)
        _log.exception("incident %s", incident)
        raise GatewayError(Reason.INTERNAL, f"the gateway failed; its log has the details under {incident}") from error


async def abort(context: Context, error: GatewayError) -> NoReturn:
    """End the call with the status of `error`."""
    if (scope := current_scope()) is not None:
        scope.reason = error.reason.value
    status = to_status(error)
    code = next(code for code in StatusCode if code.value[0] == status.code)
    # The key under which every language's standard helper looks for the details.
    trailers: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", status.SerializeToString())]
    if (pause := pushback(error)) is not None:
        trailers.append(("grpc-retry-pushback-ms", pause))
    await context.abort(code, status.message, tuple(trailers))
    raise AssertionError  # abort always raises


async def outcome_of(
    behaviour: Callable[[Any, Any], Any],
    request: Any,  # noqa: ANN401  # of any service
    context: Any,  # noqa: ANN401  # gRPC's, or what stands for it
) -> Any:  # noqa: ANN401  # of any service
    """What `behaviour` gives, whichever of the two kinds it is: gRPC takes coroutines that write as well as generators."""
    given = behaviour(request, context)
    if not inspect.isasyncgen(given):
        return await given
    async with contextlib.aclosing(given):
        async for response in given:
            await context.write(response)
    return None
