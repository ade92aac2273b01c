"""Failures as gRPC statuses: the one table, and the details that tell a client what to change."""

import math
from types import MappingProxyType
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import error_details_pb2, status_pb2

from gateway.errors import GatewayError, Reason

DOMAIN: Final = "imagerecognition.gateway"
"""`ErrorInfo.domain` of every error of this gateway."""

CODES: Final = MappingProxyType(
    {
        Reason.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_EMPTY: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_FORMAT_UNSUPPORTED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_DAMAGED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.IMAGE_REJECTED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.URI_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.URI_FORBIDDEN: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.URI_DOWNLOAD_FAILED: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.MEDIA_UNSUPPORTED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.MEDIA_DAMAGED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.MEDIA_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
        # Not RESOURCE_EXHAUSTED, which clients send again after a pause, nor INVALID_ARGUMENT: the request is in order, and
        # succeeds over the stream.
        Reason.RESULT_TOO_LARGE: grpc.StatusCode.OUT_OF_RANGE,
        Reason.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
        Reason.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
        Reason.TENANT_LIMIT_EXCEEDED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.BUDGET_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.BUDGET_UNKNOWN: grpc.StatusCode.UNAVAILABLE,
        # The gateway's own account is at fault, not the caller's credentials: never UNAUTHENTICATED, which would send
        # clients to renew theirs.
        Reason.UPSTREAM_AUTHENTICATION_FAILED: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.UPSTREAM_PERMISSION_DENIED: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.UPSTREAM_NOT_ENABLED: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.UPSTREAM_ACCOUNT_RESTRICTED: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.UPSTREAM_NOT_FOUND: grpc.StatusCode.FAILED_PRECONDITION,
        Reason.UPSTREAM_REQUEST_REJECTED: grpc.StatusCode.INVALID_ARGUMENT,
        Reason.UPSTREAM_THROTTLED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.UPSTREAM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        Reason.UPSTREAM_SUSPENDED: grpc.StatusCode.UNAVAILABLE,
        # Not UNAVAILABLE: the work may have been done and billed, so clients must not send it again unasked.
        Reason.UPSTREAM_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
        Reason.UPSTREAM_REPLY_LOST: grpc.StatusCode.UNKNOWN,
        Reason.UPSTREAM_INTERNAL: grpc.StatusCode.INTERNAL,
        Reason.UPSTREAM_BAD_RESPONSE: grpc.StatusCode.INTERNAL,
        Reason.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
        Reason.DEADLINE_TOO_SHORT: grpc.StatusCode.DEADLINE_EXCEEDED,
        Reason.SHUTTING_DOWN: grpc.StatusCode.UNAVAILABLE,
        Reason.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
        Reason.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
        Reason.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
        Reason.CANCELLED: grpc.StatusCode.CANCELLED,
        Reason.INTERNAL: grpc.StatusCode.INTERNAL,
    }
)


_QUOTAS: Final = MappingProxyType(
    {
        Reason.OVERLOADED: "gateway",
        Reason.UPSTREAM_THROTTLED: "cloud account",
        Reason.TENANT_LIMIT_EXCEEDED: "tenant",
        Reason.BUDGET_EXHAUSTED: "tenant",
    }
)
"""Whose limit was reached."""

_RETRYABLE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})

_NOT_FOR_A_POLICY: Final = frozenset({Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_REPLY_LOST, Reason.BUDGET_EXHAUSTED})
"""What may have been done and billed, and what would be waited for until midnight."""


def pushback(error: GatewayError) -> str | None:
    """What clients with a retry policy are told under `grpc-retry-pushback-ms` (gRFC A6); None: nothing.

    Milliseconds to wait, where that is known of something that may be sent again. A negative number forbids it: what may have
    been done and billed is not for a policy to repeat, whichever codes it retries on; nor is a wait of hours for it.
    """
    if error.reason in _NOT_FOR_A_POLICY:
        return "-1"
    if error.retry_after is None or CODES[error.reason] not in _RETRYABLE:
        return None
    return str(math.ceil(error.retry_after * 1000))


def to_status(error: GatewayError) -> status_pb2.Status:
    """The status with `ErrorInfo` and, where they apply, `BadRequest`, `QuotaFailure` and `RetryInfo`."""
    details: list[message.Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason.value, domain=DOMAIN, metadata=_metadata(error))
    ]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.message)
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.reason in _QUOTAS:
        exceeded = error_details_pb2.QuotaFailure.Violation(subject=_QUOTAS[error.reason], description=error.message)
        details.append(error_details_pb2.QuotaFailure(violations=[exceeded]))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=CODES[error.reason].value[0], message=error.message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _metadata(error: GatewayError) -> dict[str, str]:
    """Machine-readable facts; keys as AIP-193 asks (lower camel case)."""
    facts = {"measured": error.measured, "allowed": error.allowed}
    if error.upstream is not None:
        facts["upstreamErrorCode"] = error.upstream.error_code
        facts["upstreamHttpStatus"] = str(error.upstream.http_status or "")
        facts["upstreamRequestId"] = error.upstream.request_id
        facts["upstreamAttempts"] = str(error.upstream.attempts or "")
    return {key: value for key, value in facts.items() if value}
