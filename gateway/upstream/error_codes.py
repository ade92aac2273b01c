"""The vendor's error codes → `Reason` (API reference, section 6.2): by code first, by HTTP status second."""

import json
from types import MappingProxyType
from typing import Any, Final

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.transport import HttpReply

_BY_REASON: Final[dict[Reason, str]] = {
    Reason.UPSTREAM_AUTHENTICATION_FAILED: (
        "AIS.0002 AIS.0026 APIG.0301 AIP.0001 ModelArts.0203 ModelArts.4101 ModelArts.4102 ModelArts.4103"
    ),
    Reason.UPSTREAM_PERMISSION_DENIED: "AIP.0003 AIP.0018 ModelArts.4203 ModelArts.4702",
    Reason.UPSTREAM_NOT_ENABLED: "AIS.0004 AIS.0007 AIP.0015 ModelArts.4204",
    Reason.UPSTREAM_ACCOUNT_RESTRICTED: "AIS.0027 AIS.0032 ModelArts.4106",
    Reason.UPSTREAM_NOT_FOUND: "APIG.0101 AIP.0004 AIS.0005",
    Reason.UPSTREAM_REQUEST_REJECTED: (
        "AIS.0010 AIS.0011 AIS.0012 AIS.0013 AIS.0014 AIS.0028 AIS.0030 AIS.0203 AIS.0501 AIP.0005 AIP.0006 AIP.0007 AIP.0008 "
        "AIP.0009 AIP.0010 AIP.0011 AIP.0012 AIP.0013 AIP.0014 AIP.0016 AIP.0017 AIP.0019 "
        "ModelArts.4104 ModelArts.4105 ModelArts.4201 ModelArts.4202"
    ),
    Reason.UPSTREAM_THROTTLED: "APIG.0308 AIS.0031",
    Reason.UPSTREAM_INTERNAL: "AIS.0003 AIS.0105 AIS.0206 AIS.0505 AIS.0506 AIP.0500 ModelArts.4107",
    Reason.IMAGE_REJECTED: "AIS.0015 AIS.0201 AIS.0204",
    Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0021 AIS.0202 AIS.0502",
    Reason.IMAGE_DAMAGED: "AIS.0503",
    Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: "AIS.0205 AIS.0504",
    Reason.IMAGE_TOO_LARGE: "AIS.0020 AIS.0023 APIG.0201 ModelArts.4705",
    Reason.URI_INVALID: "AIS.0022 AIS.0024 ModelArts.4601 ModelArts.4703",
    Reason.URI_DOWNLOAD_FAILED: "AIS.0025 AIS.0029 ModelArts.4603 ModelArts.4704 ModelArts.4706",
}

REASON_BY_CODE: Final = MappingProxyType({code: reason for reason, codes in _BY_REASON.items() for code in codes.split()})
"""Every code of the contract."""

_REASON_BY_STATUS: Final = MappingProxyType(
    {
        400: Reason.UPSTREAM_REQUEST_REJECTED,
        401: Reason.UPSTREAM_AUTHENTICATION_FAILED,
        403: Reason.UPSTREAM_PERMISSION_DENIED,
        404: Reason.UPSTREAM_NOT_FOUND,
        408: Reason.UPSTREAM_TIMEOUT,
        413: Reason.IMAGE_TOO_LARGE,
        415: Reason.IMAGE_FORMAT_UNSUPPORTED,
        429: Reason.UPSTREAM_THROTTLED,
        500: Reason.UPSTREAM_INTERNAL,
        502: Reason.UPSTREAM_UNAVAILABLE,
        503: Reason.UPSTREAM_UNAVAILABLE,
        504: Reason.UPSTREAM_TIMEOUT,
    }
)

_MAX_QUOTED: Final = 200

_LONGEST_RETRY_SECONDS: Final = 86_400.0
"""More than a day is taken for a day: the header may hold a number that no duration can."""


def refusal_of(reply: HttpReply) -> GatewayError | None:
    """Return what `reply` complains of, or None if it is a success: HTTP 200 without an `error_code`."""
    document = _document(reply.body)
    code = document.get("error_code")
    if reply.status == 200 and not code:
        return None
    code = code if isinstance(code, str) else ""
    reason = _reason(code, reply.status)
    text = document.get("error_msg")
    said = f": {_printable(text)}" if isinstance(text, str) and text else ""
    named = f"{_printable(code)}, HTTP {reply.status}" if code else f"HTTP {reply.status}"
    return GatewayError(
        reason,
        f"the cloud refused the call ({named}){said}",
        retry_after=_retry_after(reply),
        upstream=UpstreamDetail(error_code=_printable(code), http_status=reply.status, request_id=reply.request_id),
    )


def _document(body: bytes) -> dict[str, Any]:
    """The reply as a JSON object; an empty one for HTML from a proxy, nothing at all, and the like."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _reason(code: str, status: int) -> Reason:
    canonical = code.replace("APIGW.", "APIG.", 1)  # the API gateway spells its prefix both ways
    if canonical in REASON_BY_CODE:
        return REASON_BY_CODE[canonical]
    if status in _REASON_BY_STATUS:
        return _REASON_BY_STATUS[status]
    if status >= 500:
        return Reason.UPSTREAM_INTERNAL
    return Reason.UPSTREAM_REQUEST_REJECTED if 400 <= status < 500 else Reason.UPSTREAM_BAD_RESPONSE


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_MAX_QUOTED])


def _retry_after(reply: HttpReply) -> float | None:
    """Seconds of a `Retry-After` header; its date form is left to the caller's own backoff."""
    value = reply.headers.get("Retry-After", "")
    return min(float(value), _LONGEST_RETRY_SECONDS) if value.isascii() and value.isdigit() else None
