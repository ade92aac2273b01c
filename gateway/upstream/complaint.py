"""Finding the error code in a reply, however deep a service, an API gateway or a proxy has wrapped it."""

import json
import re
from dataclasses import dataclass
from typing import Final

_SPELLINGS: Final = (("error_code", "error_msg"), ("errorCode", "errorMsg"))
_SPELLING_WITHIN_ERROR: Final = ("code", "message")
"""Means an error only in an object that is one: inside `error`, or in the body of a reply that is no success."""

_ENVELOPES: Final = ("error", "result", "response")
_MAX_DEPTH: Final = 4
"""Objects inside objects that are looked through; what is seen has two."""

_MAX_QUOTED: Final = 200

_WITHHELD: Final = re.compile(r"\w+://\S+|\S{65,}")
"""What services echo and callers must not see: URLs, which may be signed, and whatever is as long as a token."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a reply says is wrong. Both texts are short, printable, and free of URLs and tokens; either may be empty."""

    code: str = ""
    message: str = ""


def complaint_of(body: bytes, *, is_success: bool) -> Complaint | None:
    """The complaint in `body`, or None if it has none. `is_success`: what the HTTP status says of it.

    Never raises: a body that is no JSON holds no complaint.
    """
    if b"error" not in body and is_success:
        return None  # results hold megabytes of base64, which are not parsed to find nothing
    return _found(_parsed(body), within_error=not is_success, depth=0)


def _parsed(text: bytes | str) -> object:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed


def _found(document: object, *, within_error: bool, depth: int) -> Complaint | None:
    if depth > _MAX_DEPTH:
        return None
    if isinstance(document, str) and document.lstrip().startswith("{"):
        document = _parsed(document)  # an envelope that carries its letter as text
    if not isinstance(document, dict):
        return None
    for code, message in (*_SPELLINGS, *([_SPELLING_WITHIN_ERROR] if within_error else ())):
        if document.get(code):
            return Complaint(_code(document[code]), _quoted(document.get(message)))
    for name in _ENVELOPES:
        complaint = _found(document.get(name), within_error=within_error or name == "error", depth=depth + 1)
        if complaint is not None:
            return complaint
    return None


def _code(code: object) -> str:
    """A code is text; a number is an HTTP status in another place, and the reply's own is better."""
    return _printable(code.strip()) if isinstance(code, str) else ""


def _quoted(message: object) -> str:
    return _WITHHELD.sub("…", _printable(message)) if isinstance(message, str) else ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_MAX_QUOTED])
