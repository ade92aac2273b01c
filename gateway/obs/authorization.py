"""Temporary authorizations in URLs: whether one is there, and until when it is valid.

Sources: the store's API reference, "Authentication of Signature in a URL"; contract, section 4.
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

SECURITY_TOKEN: Final = "x-obs-security-token"  # noqa: S105  # the parameter's name

_S3_V4: Final = frozenset({"X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"})
_AUTHORIZATIONS: Final = (
    frozenset({"AccessKeyId", "Expires", "Signature"}),
    frozenset({"AWSAccessKeyId", "Expires", "Signature"}),  # the store also takes what clients of S3 make
    _S3_V4,
)
PARAMETERS: Final = frozenset(
    {name.lower() for names in _AUTHORIZATIONS for name in names}
    | {SECURITY_TOKEN, "x-amz-algorithm", "x-amz-security-token", "x-amz-signedheaders"}
)
"""The names of all parameters that make up an authorization, in lower case."""


def is_signed(url: str) -> bool:
    """Whether `url` carries a temporary authorization. Raises `ValueError` if it is no URL."""
    return any(names <= _parameters(url).keys() for names in _AUTHORIZATIONS)


def expires_at(url: str) -> float | None:
    """Until when the authorization of `url` is valid, in seconds since the epoch; None if it has none, or does not say.

    Raises `ValueError` if it is no URL.
    """
    parameters = _parameters(url)
    if parameters.keys() >= _S3_V4:
        return _end(parameters["X-Amz-Date"], parameters["X-Amz-Expires"])
    return _seconds(parameters["Expires"]) if is_signed(url) else None


def _end(made: str, validity: str) -> float | None:
    """The end of so many seconds since a time in ISO 8601's basic format."""
    seconds = _seconds(validity)
    try:
        start = datetime.strptime(made, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return None if seconds is None else start.timestamp() + seconds


def _parameters(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _seconds(text: str) -> int | None:
    return int(text[:20]) if text.isascii() and text.isdigit() else None
