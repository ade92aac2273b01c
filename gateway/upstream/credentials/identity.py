"""What all requests to the cloud's identity and metadata services have in common."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.outcome import Attempt
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.verdict import classify

TIMEOUT: Final = 10.0
"""Seconds for one request: a sign-in takes less than one, and is tried three times if need be."""

_OF_SETTINGS: Final = frozenset({Reason.UPSTREAM_NOT_FOUND, Reason.INTERNAL})
"""Why a request could not even be made: trying again does not help."""


class Sender(Protocol):
    """Makes one attempt, and raises nothing. The transport is one."""

    async def send(self, outgoing: Outgoing, headers: Mapping[str, str], *, timeout: float | None = None) -> Attempt:
        """Send `outgoing` with `headers`, within `timeout` seconds."""


async def reply_to(sender: Sender, outgoing: Outgoing, headers: Mapping[str, str], timeout: float = TIMEOUT) -> HttpReply:
    """The whole reply, whatever its status.

    Raises `GatewayError` if none came: `UPSTREAM_UNAVAILABLE` whatever broke, and when, since nothing that is asked here is ever
    billed; but what is wrong with the configured address stays what it is.
    """
    attempt = await sender.send(outgoing, headers, timeout=timeout)
    if attempt.reply is not None:
        return attempt.reply
    error = attempt.error or GatewayError(Reason.INTERNAL, "an attempt has neither a reply nor an error")
    if error.reason in _OF_SETTINGS:
        raise error
    message = f"the cloud's identity service gave no answer: {error.message}"
    raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, message) from (error.__cause__ or error)


def identity_refusal(reply: HttpReply, credentials: str, expected: int) -> GatewayError:
    """The error of a reply of the identity service whose status is not `expected`; `credentials` names what it was given."""
    detail = UpstreamDetail(http_status=reply.status, request_id=reply.request_id)
    if reply.status in {400, 401, 403, 404}:
        # The body is not quoted: identity services echo parts of the request.
        return GatewayError(
            Reason.UPSTREAM_AUTHENTICATION_FAILED,
            f"the cloud's identity service refused the gateway's {credentials} (HTTP {reply.status})",
            upstream=detail,
        )
    pause = classify(reply).retry_after
    if reply.status == 429:
        message = "the cloud's identity service is throttling"
        return GatewayError(Reason.UPSTREAM_THROTTLED, message, retry_after=pause, upstream=detail)
    if reply.status >= 500:
        message = f"the cloud's identity service failed (HTTP {reply.status})"
        return GatewayError(Reason.UPSTREAM_UNAVAILABLE, message, retry_after=pause, upstream=detail)
    return GatewayError(
        Reason.UPSTREAM_BAD_RESPONSE,
        f"the cloud's identity service answered HTTP {reply.status} instead of {expected}",
        upstream=detail,
    )


def read_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time, with or without fractional seconds (the service sends both).

    Raises `ValueError` or `TypeError` for anything else.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
