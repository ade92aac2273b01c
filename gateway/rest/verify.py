"""Checking AK/SK signatures (API reference, section 3.3; the form is that of the vendor's SDK, `SDK-HMAC-SHA256`).

Code of its own: a check that called the signer would accept whatever the signer does.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

ALGORITHM: Final = "SDK-HMAC-SHA256"
MAX_SKEW: Final = 15 * 60.0
"""Seconds by which the signing time may differ from ours."""

_AUTHORIZATION: Final = re.compile(
    rf"{ALGORITHM} Access=(?P<key>[^,\s]+), ?SignedHeaders=(?P<headers>[a-z0-9;_-]+), ?Signature=(?P<signature>[0-9a-f]{{64}})"
)


class SignatureError(Exception):
    """Why a signature is refused; the message may be shown."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it arrived. `target` is the raw path and query; header names are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def verify(request: SignedRequest, *, access_key: str, secret_key: str, now: float) -> None:
    """Check the request's `Authorization` header. `now` is in seconds since the epoch. Raises `SignatureError`.

    The body is always part of what was signed. The SDK's form for uploads, which leaves it out (`UNSIGNED-PAYLOAD`), is not
    admitted: no operation here takes uploads, and one such signature would serve for every body.
    """
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is None:
        msg = "the Authorization header is not of the SDK-HMAC-SHA256 form"
        raise SignatureError(msg)
    date = request.headers.get("x-sdk-date", "")
    _check_time(date, now)
    names = match["headers"].split(";")
    missing = [name for name in ("host", "x-sdk-date") if name not in names]
    missing += [name for name in names if name not in request.headers]
    if missing:
        msg = f"header {missing[0]!r} must be sent and signed"
        raise SignatureError(msg)
    try:
        digest = hashlib.sha256(_canonical_request(request, names).encode()).hexdigest()
    except UnicodeEncodeError as error:  # what arrived as other bytes stands as surrogates
        msg = "the path, the query or a signed header is not UTF-8"
        raise SignatureError(msg) from error
    to_sign = f"{ALGORITHM}\n{date}\n{digest}"
    expected = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    same_key = hmac.compare_digest(match["key"].encode(errors="surrogatepass"), access_key.encode())
    if not (hmac.compare_digest(match["signature"], expected) and same_key):
        msg = "the access key is unknown or the signature does not match the request"
        raise SignatureError(msg)


def _check_time(date: str, now: float) -> None:
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        msg = "the X-Sdk-Date header is missing or not of the form YYYYMMDDTHHMMSSZ"
        raise SignatureError(msg) from error
    if abs(now - signed_at) > MAX_SKEW:
        msg = "the request was signed more than 15 minutes from now; is the clock right?"
        raise SignatureError(msg)


def _canonical_request(request: SignedRequest, names: list[str]) -> str:
    path, _, query = request.target.partition("?")
    encoded_path = "/".join(quote(segment, safe="~") for segment in unquote(path).split("/"))
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
    return "\n".join(
        [
            request.method.upper(),
            encoded_path if encoded_path.endswith("/") else encoded_path + "/",
            "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(parse_qsl(query, keep_blank_values=True))),
            headers,
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
