"""Judging a reply that came whole: what became of the attempt, what is wrong, and how long to wait."""

import time
from collections.abc import Callable
from typing import Final

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.complaint import Complaint, complaint_of
from gateway.upstream.error_codes import reason_of
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.reply import HttpReply, http_date

_OUTCOMES: Final = {
    Reason.UPSTREAM_AUTHENTICATION_FAILED: Outcome.UNAUTHENTICATED,
    Reason.UPSTREAM_THROTTLED: Outcome.THROTTLED,
    Reason.UPSTREAM_INTERNAL: Outcome.FAILED,
    Reason.UPSTREAM_UNAVAILABLE: Outcome.FAILED,
    Reason.UPSTREAM_TIMEOUT: Outcome.FAILED,
    Reason.UPSTREAM_BAD_RESPONSE: Outcome.MALFORMED,
}
"""All others are refusals."""

_BEGINNINGS: Final = (b"{", b"\xff\xd8\xff", b"\x89PNG", b"BM", b"RIFF")
"""What a result starts with: JSON, or the file that enhancement returns for a form (JPEG, PNG, BMP, WEBP)."""

_LONGEST_RETRY_SECONDS: Final = 86_400.0
"""More than a day is taken for a day: the header may hold a number that no duration can."""


def classify(reply: HttpReply, clock: Callable[[], float] = time.time) -> Attempt:
    """Judge `reply` by the contract of the image service. Never raises.

    `clock` returns seconds since the epoch: what a date in `Retry-After` is compared with if the reply has no date of its own.
    """
    complaint = complaint_of(reply.body, is_success=reply.status == 200)
    if reply.status == 200 and complaint is None:
        if reply.body.lstrip()[:4].startswith(_BEGINNINGS):
            return Attempt(Outcome.SUCCESS, reply)
        return malformed(reply, GatewayError(Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply is neither JSON nor a picture"))
    complaint = complaint or Complaint()
    reason = reason_of(complaint.code, reply.status)
    named = f"{complaint.code}, HTTP {reply.status}" if complaint.code else f"HTTP {reply.status}"
    said = f": {complaint.message}" if complaint.message else ""
    pause = _retry_after(reply, clock)
    detail = UpstreamDetail(error_code=complaint.code, http_status=reply.status, request_id=reply.request_id)
    error = GatewayError(reason, f"the cloud refused the call ({named}){said}", retry_after=pause, upstream=detail)
    return Attempt(_OUTCOMES.get(reason, Outcome.REFUSED), reply, error, pause)


def malformed(reply: HttpReply, error: GatewayError) -> Attempt:
    """What becomes of an attempt whose reply looked like a success until it was read: `error` says what is wrong with it."""
    error.upstream = UpstreamDetail(http_status=reply.status, request_id=reply.request_id)
    return Attempt(Outcome.MALFORMED, reply, error)


def _retry_after(reply: HttpReply, clock: Callable[[], float]) -> float | None:
    """Seconds that `Retry-After` asks for (RFC 9110, section 10.2.3): a number, or a date."""
    value = reply.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_RETRY_SECONDS)
    until = http_date(value)
    if until is None:
        return None
    # Two times of one clock, so that ours may be wrong.
    now = reply.server_time
    return min(max(until - (clock() if now is None else now), 0.0), _LONGEST_RETRY_SECONDS)
