"""What can go wrong, as a closed list that knows no transport.

Each face has one table from `Reason` to its own world (`rpc/status.py`, `rest/errors.py`), each provider one table from
its world to `Reason`; tests walk every member against them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Reason(StrEnum):
    """Why a call failed. The value is what clients see as `google.rpc.ErrorInfo.reason`."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    """A parameter is missing, malformed or out of range. Correct it; sending it again as it is cannot succeed."""

    IMAGE_EMPTY = "IMAGE_EMPTY"
    """The picture or recording has no bytes."""

    IMAGE_FORMAT_UNSUPPORTED = "IMAGE_FORMAT_UNSUPPORTED"
    """The bytes are not of a format that is accepted: JPEG, PNG, BMP or WEBP, unless more are allowed."""

    IMAGE_DAMAGED = "IMAGE_DAMAGED"
    """The file is truncated or malformed."""

    IMAGE_DIMENSIONS_OUT_OF_RANGE = "IMAGE_DIMENSIONS_OUT_OF_RANGE"
    """A side is shorter or longer than the operation allows."""

    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    """The file, once encoded as base64, is over the operation's limit."""

    IMAGE_REJECTED = "IMAGE_REJECTED"
    """The provider, or a limit of the gateway's own decoders, refused the picture."""

    URI_INVALID = "URI_INVALID"
    """The URL cannot be used: malformed, not HTTP(S), or its signature expired."""

    URI_FORBIDDEN = "URI_FORBIDDEN"
    """The URL leads to an address that this gateway does not download from."""

    URI_DOWNLOAD_FAILED = "URI_DOWNLOAD_FAILED"
    """The picture could not be downloaded from its URL."""

    MEDIA_UNSUPPORTED = "MEDIA_UNSUPPORTED"
    """The recording is no MP4, or holds no sound that can be read here."""

    MEDIA_DAMAGED = "MEDIA_DAMAGED"
    """The recording is cut short or damaged."""

    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    """The recording is longer than the 65 MB that are allowed."""

    RESULT_TOO_LARGE = "RESULT_TOO_LARGE"
    """The file that was made is longer than one message can be. Use the form of the call that gives it in chunks; of preparation,
    one can also ask for less with `options.max_bytes`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    """The call carries no credentials that this gateway takes, or some that are wrong, expired or withdrawn."""

    PERMISSION_DENIED = "PERMISSION_DENIED"
    """The caller is known, but may not do this."""

    TENANT_LIMIT_EXCEEDED = "TENANT_LIMIT_EXCEEDED"
    """The tenant has as many pictures at work, or has sent as many a second, as it may. Nothing was spent. Send again later,
    slower, or use a stream, which waits for its turns."""

    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    """The tenant's calls to the cloud for today are used up. The next day begins at midnight UTC."""

    BUDGET_UNKNOWN = "BUDGET_UNKNOWN"
    """What is left of the tenant's calls to the cloud cannot be told now, so none is made. Nothing was spent."""

    UPSTREAM_AUTHENTICATION_FAILED = "UPSTREAM_AUTHENTICATION_FAILED"
    """The cloud refuses the gateway's credentials. For the gateway's operator."""

    UPSTREAM_PERMISSION_DENIED = "UPSTREAM_PERMISSION_DENIED"
    """The gateway's cloud account may not do this. For the gateway's operator."""

    UPSTREAM_NOT_ENABLED = "UPSTREAM_NOT_ENABLED"
    """The service is not subscribed or not enabled for the gateway's cloud account. For the gateway's operator."""

    UPSTREAM_ACCOUNT_RESTRICTED = "UPSTREAM_ACCOUNT_RESTRICTED"
    """The cloud account is frozen, in arrears, or has used up its free calls. For the gateway's operator."""

    UPSTREAM_NOT_FOUND = "UPSTREAM_NOT_FOUND"
    """The cloud does not know the operation: withdrawn, or the endpoint is wrong. For the gateway's operator."""

    UPSTREAM_REQUEST_REJECTED = "UPSTREAM_REQUEST_REJECTED"
    """The cloud refuses the request that the gateway made. The vendor's code says why."""

    UPSTREAM_THROTTLED = "UPSTREAM_THROTTLED"
    """The cloud's rate limit was reached. Send again later, slower."""

    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    """The cloud could not be reached, or says that it cannot serve now. Send again later."""

    UPSTREAM_SUSPENDED = "UPSTREAM_SUSPENDED"
    """The gateway makes no such calls to the cloud for a while, since too many failed. Send again later."""

    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    """The cloud did not answer in time. It may have done, and billed, the work."""

    UPSTREAM_REPLY_LOST = "UPSTREAM_REPLY_LOST"
    """The connection broke after the call was sent and before it was answered. The cloud may have done, and billed, the work."""

    UPSTREAM_INTERNAL = "UPSTREAM_INTERNAL"
    """The cloud's own algorithm or machinery failed."""

    UPSTREAM_BAD_RESPONSE = "UPSTREAM_BAD_RESPONSE"
    """The cloud's answer is not what its contract says."""

    OVERLOADED = "OVERLOADED"
    """Too many calls wait for their turn, or this one has waited too long. Nothing was spent. Send again later, slower."""

    DEADLINE_TOO_SHORT = "DEADLINE_TOO_SHORT"
    """The work could not have been done by the caller's deadline, so it was not begun. Nothing was spent. Give more time."""

    SHUTTING_DOWN = "SHUTTING_DOWN"
    """This gateway is stopping and takes no new calls. Send again; another replica will take it."""

    UNIMPLEMENTED = "UNIMPLEMENTED"
    """The server does not know the call: it is another service, or an older gateway. Seen by clients only."""

    UNAVAILABLE = "UNAVAILABLE"
    """The gateway cannot be reached. Seen by clients only."""

    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    """The caller's deadline passed."""

    CANCELLED = "CANCELLED"
    """The call was cancelled before it was answered."""

    INTERNAL = "INTERNAL"
    """A fault of the gateway itself. Its log has the details, under the incident number that the message gives."""


@dataclass(frozen=True, slots=True)
class UpstreamDetail:
    """What the cloud said when it refused. Safe to show: holds neither credentials nor bodies."""

    error_code: str = ""
    """The vendor's code, such as `AIS.0504`; empty if the reply carried none."""
    http_status: int = 0
    """0 if there was no reply."""
    request_id: str = ""
    """The vendor's `X-Request-Id`."""
    attempts: int = 0
    """How many requests were made for the call; 0 if that is not known."""


class GatewayError(Exception):
    """A failure with a public face.

    Everything in it may be shown to the caller; the internal cause, if there is one, is `__cause__`, and goes to the log.
    """

    def __init__(  # one keyword per fact that a client can be told; all but two are optional
        self,
        reason: Reason,
        message: str,
        *,
        field: str = "",
        measured: str = "",
        allowed: str = "",
        retry_after: float | None = None,
        upstream: UpstreamDetail | None = None,
    ) -> None:
        """Make an error.

        `message` is one English sentence that says what is wrong and, where it can, what to change. `field` is the request
        field at fault, in the notation of the contract; `measured` is what was found there, `allowed` what is allowed.
        `retry_after` is the number of seconds after which another attempt makes sense.
        """
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.measured = measured
        self.allowed = allowed
        self.retry_after = retry_after
        self.upstream = upstream

    @property
    def is_retryable(self) -> bool:
        """Whether the same call may succeed later, and the one that failed has most likely cost nothing: send it again after
        `retry_after` seconds, or a growing pause."""
        return self.reason in _RETRYABLE

    def __repr__(self) -> str:
        return f"GatewayError({self.reason}, {self.message!r})"


_RETRYABLE: Final = frozenset(
    {
        Reason.UPSTREAM_THROTTLED,
        Reason.UPSTREAM_UNAVAILABLE,
        Reason.UPSTREAM_SUSPENDED,
        Reason.OVERLOADED,
        Reason.TENANT_LIMIT_EXCEEDED,
        Reason.BUDGET_UNKNOWN,
        Reason.SHUTTING_DOWN,
        Reason.UNAVAILABLE,
    }
)

_CORRECT_THE_CALL = "Correct the call; as it is it fails every time."
_CORRECT_THE_PICTURE = "Send another file, or let the gateway prepare it; as it is it fails every time."
_CORRECT_THE_RECORDING = "Send another recording; as it is it fails every time."
_TELL_THE_OPERATOR = "Tell the gateway's operator; no caller can mend it."
_SEND_AGAIN = "Send it again, after the pause that `RetryInfo` gives or a growing one."
_SEND_AGAIN_IF_WORTH = "Send it again only if it is worth being billed twice, after a growing pause."

ADVICE: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.INVALID_ARGUMENT: _CORRECT_THE_CALL,
        Reason.IMAGE_EMPTY: _CORRECT_THE_CALL,
        Reason.IMAGE_FORMAT_UNSUPPORTED: _CORRECT_THE_PICTURE,
        Reason.IMAGE_DAMAGED: "Send another file; as it is it fails every time.",
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: _CORRECT_THE_PICTURE,
        Reason.IMAGE_TOO_LARGE: _CORRECT_THE_PICTURE,
        Reason.IMAGE_REJECTED: _CORRECT_THE_PICTURE,
        Reason.URI_INVALID: "Correct the URL or sign it anew, or send the content instead.",
        Reason.URI_FORBIDDEN: "Send the content instead, or ask the gateway's operator to allow the address.",
        Reason.URI_DOWNLOAD_FAILED: "See that the URL can be reached and answers quickly, or send the content instead.",
        Reason.MEDIA_UNSUPPORTED: _CORRECT_THE_RECORDING,
        Reason.MEDIA_DAMAGED: _CORRECT_THE_RECORDING,
        Reason.MEDIA_TOO_LARGE: _CORRECT_THE_RECORDING,
        Reason.RESULT_TOO_LARGE: "Ask for less, send a smaller picture, or use the stream.",
        Reason.UNAUTHENTICATED: "Send credentials that are in force; if these should be, ask the gateway's operator.",
        Reason.PERMISSION_DENIED: "Ask the gateway's operator to allow it; as it is it fails every time.",
        Reason.TENANT_LIMIT_EXCEEDED: _SEND_AGAIN + " Send less at once.",
        Reason.BUDGET_EXHAUSTED: "Send it again after the time that `RetryInfo` gives, or ask the gateway's operator for more.",
        Reason.BUDGET_UNKNOWN: _SEND_AGAIN,
        Reason.UPSTREAM_AUTHENTICATION_FAILED: _TELL_THE_OPERATOR,
        Reason.UPSTREAM_PERMISSION_DENIED: _TELL_THE_OPERATOR,
        Reason.UPSTREAM_NOT_ENABLED: _TELL_THE_OPERATOR,
        Reason.UPSTREAM_ACCOUNT_RESTRICTED: _TELL_THE_OPERATOR,
        Reason.UPSTREAM_NOT_FOUND: _TELL_THE_OPERATOR,
        Reason.UPSTREAM_REQUEST_REJECTED: "Correct what the vendor's code is about; as it is it fails every time.",
        Reason.UPSTREAM_THROTTLED: _SEND_AGAIN + " Send less at once.",
        Reason.UPSTREAM_UNAVAILABLE: _SEND_AGAIN,
        Reason.UPSTREAM_SUSPENDED: _SEND_AGAIN,
        Reason.UPSTREAM_TIMEOUT: _SEND_AGAIN_IF_WORTH,
        Reason.UPSTREAM_REPLY_LOST: _SEND_AGAIN_IF_WORTH,
        Reason.UPSTREAM_INTERNAL: "Send it again once or twice, after a growing pause; if it goes on, try another file.",
        Reason.UPSTREAM_BAD_RESPONSE: "Tell the gateway's operator: another service, or a proxy, answers in the cloud's place.",
        Reason.OVERLOADED: _SEND_AGAIN + " Send less at once.",
        Reason.DEADLINE_TOO_SHORT: "Send it again with more time, or later.",
        Reason.SHUTTING_DOWN: "Send it again at once; another replica takes it.",
        Reason.UNIMPLEMENTED: "Call the gateway's address, or ask its operator for a newer one, or for a provider that can.",
        Reason.UNAVAILABLE: _SEND_AGAIN,
        Reason.DEADLINE_EXCEEDED: "Send it again with more time, if it is still wanted; what was under way may have been billed.",
        Reason.CANCELLED: "Nothing; what was under way may have been billed.",
        Reason.INTERNAL: "Tell the gateway's operator the incident number.",
    }
)
"""What a caller should do, for every reason."""
