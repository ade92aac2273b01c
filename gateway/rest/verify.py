"""Checking AK/SK signatures (API reference, section 3.3; the forms are those of the vendor's SDK).

Code of its own: a check that called the signer would accept whatever the signer does.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes

ALGORITHM: Final = "SDK-HMAC-SHA256"
DERIVED_ALGORITHM: Final = "V11-HMAC-SHA256"
"""The form whose key is derived for a day, a region and a service: the SDK's for endpoints that it does not know."""

MAX_SKEW: Final = 15 * 60.0
"""Seconds by which the signing time may differ from ours."""

UNSIGNED: Final = "UNSIGNED-PAYLOAD"

_MUST_BE_SIGNED: Final = ("host", "x-sdk-date")
_SIGNED_IF_SENT: Final = ("x-sdk-content-sha256", "x-project-id", "x-domain-id", "x-security-token")
"""What says whose request it is, and for what: added to a signed request, any of them would change it."""

_END: Final = r", ?SignedHeaders=(?P<names>[^,=\s]+), ?Signature=(?P<value>[0-9a-f]{64})"
_PLAIN: Final = re.compile(rf"{ALGORITHM} Access=(?P<key>[^,\s]+){_END}")
_SCOPE: Final = r"(?P<scope>(?P<day>[0-9]{8})/[^,\s/]+/[^,\s/]+)"
_DERIVED: Final = re.compile(rf"{DERIVED_ALGORITHM} Credential=(?P<key>[^,\s/]+)/{_SCOPE}{_END}")
_DATE: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_DATE_FORM: Final = "%Y%m%dT%H%M%SZ"

Headers = Sequence[tuple[str, str]]
"""Headers as they arrived: lower-case names, one entry for each line."""


class SignatureError(Exception):
    """Why a signature is refused; the message may be shown."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request's headers say about its signature. Nothing of it is proven."""

    access_key: str
    names: tuple[str, ...]
    """The signed headers."""
    value: str
    """64 hexadecimal digits."""
    date: str
    signed_at: float
    """Seconds since the epoch."""
    scope: str | None
    """`day/region/service` of the derived form, None in the other one."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it arrived. `target` is the raw path and query."""

    method: str
    target: str
    headers: Headers
    body: bytes


def read_signature(headers: Headers, now: float) -> Signature:
    """Read the signature and check all that needs neither key nor body. `now` is in seconds. Raises `SignatureError`."""
    authorization = _header(headers, "authorization") or ""
    match = _PLAIN.fullmatch(authorization) or _DERIVED.fullmatch(authorization)
    if match is None:
        msg = f"the Authorization header is not of the {ALGORITHM} form"
        raise SignatureError(msg)
    date = _header(headers, "x-sdk-date") or ""
    signed_at = _signing_time(date, now)
    scope = match.groupdict().get("scope")
    if scope is not None and match["day"] != date[:8]:
        msg = "the day of the credential is not that of X-Sdk-Date"
        raise SignatureError(msg)
    names = tuple(match["names"].split(";"))
    if len(set(names)) != len(names):
        msg = "SignedHeaders names a header twice"
        raise SignatureError(msg)
    sent = {name for name, _ in headers}
    wanted = [name for name in _MUST_BE_SIGNED if name not in names]
    wanted += [name for name in _SIGNED_IF_SENT if name in sent and name not in names]
    wanted += [name for name in names if name not in sent]
    if wanted:
        msg = f"header {wanted[0]!r} must be sent and signed"
        raise SignatureError(msg)
    return Signature(match["key"], names, match["value"], date, signed_at, scope)


def verify(request: SignedRequest, signature: Signature, secret_key: str) -> bool:
    """Check that `signature`, as read from the request, was made for it with `secret_key`. Raises `SignatureError`.

    Returns whether the body is part of what was signed. The SDK leaves it out of uploads, that is of bodies whose content type
    is neither JSON nor BSON; the content type itself must then be signed, so that no other request can be turned into one.
    """
    payload = _payload_hash(request, signature.names)
    digest = hashlib.sha256(_canonical_request(request, signature.names, payload)).hexdigest()
    if signature.scope is None:
        key, to_sign = secret_key.encode(), f"{ALGORITHM}\n{signature.date}\n{digest}"
    else:
        key = _derived_key(signature.access_key, secret_key, signature.scope)
        to_sign = f"{DERIVED_ALGORITHM}\n{signature.date}\n{signature.scope}\n{digest}"
    expected = hmac.new(key, to_sign.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature.value, expected):
        msg = "the access key is unknown or the signature does not match the request"
        raise SignatureError(msg)
    return payload != UNSIGNED


def _header(headers: Headers, wanted: str) -> str | None:
    """The one value of a header, without the white space that HTTP allows around it. Raises `SignatureError` if there are two."""
    values = [value.strip(" \t") for name, value in headers if name == wanted]
    if len(values) > 1:
        msg = f"header {wanted!r} was sent twice"
        raise SignatureError(msg)
    return values[0] if values else None


def _signing_time(date: str, now: float) -> float:
    try:
        # `strptime` alone would also take one digit for two, and digits of other scripts.
        signed_at = datetime.strptime(date if _DATE.fullmatch(date) else "", _DATE_FORM).replace(tzinfo=UTC).timestamp()
    except ValueError:
        msg = "the X-Sdk-Date header is missing or not of the form YYYYMMDDTHHMMSSZ"
        raise SignatureError(msg) from None
    if abs(now - signed_at) > MAX_SKEW:
        msg = "the request was signed more than 15 minutes from now; is the clock right?"
        raise SignatureError(msg)
    return signed_at


def _payload_hash(request: SignedRequest, names: Sequence[str]) -> str:
    announced = _header(request.headers, "x-sdk-content-sha256")
    content_type = (_header(request.headers, "content-type") or "").lower()
    if announced == UNSIGNED:
        if "content-type" not in names or not content_type or content_type.startswith(("application/json", "application/bson")):
            msg = f"{UNSIGNED} is for signed content types other than JSON and BSON"
            raise SignatureError(msg)
        # As the SDK does; so nothing can be put into a request that was signed without a body.
        return UNSIGNED if request.body else hashlib.sha256(b"").hexdigest()
    actual = hashlib.sha256(request.body).hexdigest()
    if announced is not None and not hmac.compare_digest(announced.lower().encode(errors="surrogateescape"), actual.encode()):
        msg = "X-Sdk-Content-Sha256 is not the hash of the body"
        raise SignatureError(msg)
    return announced or actual


def _canonical_request(request: SignedRequest, names: Sequence[str], payload: str) -> bytes:
    path, _, query = request.target.partition("?")
    # Segment by segment: an encoded slash stays one, else it could take the place of a slash in what was signed.
    segments = [_encoded(unquote_to_bytes(segment.encode(errors="surrogateescape"))) for segment in path.split("/")]
    encoded_path = "/".join(segments)
    pairs = sorted(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    lines = [
        request.method.upper(),
        encoded_path if encoded_path.endswith("/") else encoded_path + "/",
        "&".join(f"{_encoded(key)}={_encoded(value)}" for key, value in pairs),
        "".join(f"{name}:{_header(request.headers, name)}\n" for name in names),
        ";".join(names),
        payload,
    ]
    return "\n".join(lines).encode(errors="surrogateescape")


def _encoded(text: str | bytes) -> str:
    raw = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return quote(raw, safe="~")


def _derived_key(access_key: str, secret_key: str, scope: str) -> bytes:
    """HKDF (RFC 5869) of one block with the AK as salt, in hexadecimal digits as the SDK uses it."""
    extracted = hmac.new(access_key.encode(errors="surrogateescape"), secret_key.encode(), hashlib.sha256).digest()
    block = hmac.new(extracted, scope.encode(errors="surrogateescape") + b"\x01", hashlib.sha256)
    return block.hexdigest().encode()
