"""Statuses on the wire → `GatewayError`, the one exception that this client raises."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import grpc
from google.protobuf import message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason, UpstreamDetail

# What grpcio's asyncio client reports instead of the server's status when that overtakes a write (grpc/grpc#36066).
_BROKEN_WRITE: Final = "Internal error from Core"

# What gRPC itself says of a message over the receiver's limit, under the code of a throttle.
_OVERSIZED: Final = "larger than max"

_Detail = TypeVar("_Detail", bound=message.Message)

# For statuses that carry no reason of ours: from gRPC itself, a proxy on the way, or a newer gateway.
_BY_CODE: Final[Mapping[int, Reason]] = MappingProxyType(
    {
        code_pb2.INVALID_ARGUMENT: Reason.INVALID_ARGUMENT,
        code_pb2.CANCELLED: Reason.CANCELLED,
        code_pb2.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
        code_pb2.UNAVAILABLE: Reason.UNAVAILABLE,
        code_pb2.UNIMPLEMENTED: Reason.UNIMPLEMENTED,
        code_pb2.UNAUTHENTICATED: Reason.UNAUTHENTICATED,
        code_pb2.PERMISSION_DENIED: Reason.PERMISSION_DENIED,
        code_pb2.RESOURCE_EXHAUSTED: Reason.UPSTREAM_THROTTLED,
    }
)


def read_call_error(error: grpc.aio.AioRpcError) -> GatewayError:
    """The error of a failed call."""
    if error.code() is grpc.StatusCode.INTERNAL and error.details() == _BROKEN_WRITE:
        return GatewayError(Reason.UNAVAILABLE, "the stream ended while a picture was being sent")
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and _OVERSIZED in (error.details() or ""):
        return GatewayError(Reason.IMAGE_TOO_LARGE, "the request is larger than the gateway takes", field="content")
    call: Any = error  # has code, details and trailing metadata, which is all that the helper asks for
    status = rpc_status.from_call(call)
    if status is None:
        status = status_pb2.Status(code=error.code().value[0], message=error.details() or error.code().name)
    return read_status(status)


def read_status(status: status_pb2.Status) -> GatewayError:
    """The error that a `google.rpc.Status` describes."""
    info = _detail(status, error_details_pb2.ErrorInfo())
    violations = _detail(status, error_details_pb2.BadRequest()).field_violations
    retry = _detail(status, error_details_pb2.RetryInfo())
    facts = info.metadata
    try:
        reason = Reason(info.reason)
    except ValueError:
        reason = _BY_CODE.get(status.code, Reason.INTERNAL)
    upstream = UpstreamDetail(
        error_code=facts.get("upstreamErrorCode", ""),
        http_status=_number(facts.get("upstreamHttpStatus", "")),
        request_id=facts.get("upstreamRequestId", ""),
        attempts=_number(facts.get("upstreamAttempts", "")),
    )
    return GatewayError(
        reason,
        status.message,
        field=violations[0].field if violations else "",
        measured=facts.get("measured", ""),
        allowed=facts.get("allowed", ""),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if retry.HasField("retry_delay") else None,
        upstream=upstream if upstream != UpstreamDetail() else None,
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _detail(status: status_pb2.Status, empty: _Detail) -> _Detail:
    """The status's detail of that type, or `empty`."""
    for detail in status.details:
        if detail.Unpack(empty):
            break
    return empty
