"""Bodies of `multipart/form-data` (RFC 7578), read from memory: signatures are checked over the whole body before."""

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

from gateway.rest.errors import RestError

MAX_PARTS: Final = 100
_MAX_HEADER_BYTES: Final = 8 << 10


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form. `file` is the content of the part of that name."""

    fields: dict[str, str]
    file: bytes | None


def read_form(body: bytes, boundary: str) -> Form:
    """Read `body`. Raises `RestError` for what is no form, for fields that stand there twice, and for text that is no UTF-8."""
    fields: dict[str, str] = {}
    file: bytes | None = None
    for name, content in _parts(body, b"--" + boundary.encode("utf-8", "surrogateescape")):
        if name in fields or (name == "file" and file is not None):
            raise RestError("AIS.0012", "(a field stands twice in the form)")
        if name == "file":
            file = content
        else:
            fields[name] = _text(name, content)
    return Form(fields, file)


def _parts(body: bytes, delimiter: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each part."""
    # A line break belongs to the delimiter that follows it; the first one may stand at the very start.
    body = b"\r\n" + body
    delimiter = b"\r\n" + delimiter
    at = body.find(delimiter)
    for _ in range(MAX_PARTS + 1):
        if at < 0:
            raise _malformed("it does not end as its boundary says")
        start = at + len(delimiter)
        if body.startswith(b"--", start):
            return
        line_end = body.find(b"\r\n", start)
        head_end = body.find(b"\r\n\r\n", line_end, line_end + _MAX_HEADER_BYTES)
        at = body.find(delimiter, line_end)
        # White space after a boundary is padding.
        if line_end < 0 or body[start:line_end].strip(b" \t") or not line_end <= head_end <= at:
            raise _malformed("a part of it lacks its headers or its end")
        yield _name(body[line_end + 2 : head_end + 2]), body[head_end + 4 : at] if at >= head_end + 4 else b""
    raise _malformed(f"it has more than {MAX_PARTS} parts")


def _name(head: bytes) -> str:
    headers: Message = BytesHeaderParser(policy=policy.compat32).parsebytes(head)
    name = headers.get_param("name", header="content-disposition")
    if headers.get_content_disposition() != "form-data" or not isinstance(name, str):
        raise _malformed("a part of it has no name")
    # A header that is no ASCII comes as an object of its own kind.
    if str(headers.get("content-transfer-encoding", "binary")).lower() not in {"binary", "8bit", "7bit"}:
        raise _malformed("a part of it has a Content-Transfer-Encoding")
    return name


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"{reprlib.repr(name)} is no UTF-8; the picture's field is called 'file'") from error


def _malformed(why: str) -> RestError:
    return RestError("AIS.0014", f"(the form is malformed: {why})")
