"""Who makes a call, and until when the answer is of use."""

import math
import time
from dataclasses import replace

from google.protobuf import duration_pb2

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.rpc.answer import Context
from gateway.rpc.authentication import current_caller
from gateway.rpc.convert import read_cache_use


def read_caller(context: Context) -> Call:
    """The call that `context` belongs to, in the name of the tenant that it was let in for."""
    remaining = context.time_remaining()
    # The stubs know no None, which stands for no deadline.
    deadline = math.inf if remaining is None else time.monotonic() + remaining  # type: ignore[redundant-expr]
    return Call(tenant=current_caller().tenant, deadline=deadline)


def with_cache(call: Call, *controls: int) -> Call:
    """`call` with the first of `controls` that says something. Raises `GatewayError` for what the contract does not have."""
    return replace(call, cache=read_cache_use(next(filter(None, controls), 0)))


def with_timeout(call: Call, timeout: duration_pb2.Duration, now: float) -> Call:
    """`call` with `timeout` from `now` (as `time.monotonic`) as its deadline, unless its own comes earlier.

    Raises `GatewayError` for a timeout that is not more than 0.
    """
    seconds = timeout.seconds + timeout.nanos / 1e9
    if seconds <= 0:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"timeout is {seconds:g} s; it must be more than 0",
            field="timeout",
            measured=f"{seconds:g} s",
            allowed="more than 0 s",
        )
    return replace(call, deadline=min(call.deadline, now + seconds))
