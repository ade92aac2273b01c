"""The body of a request as JSON, read more strictly than Python's reader does by itself."""

import json
from typing import Any, Final, NoReturn

from gateway.rest.errors import RestError

MAX_NESTED: Final = 10_000
"""Objects and lists in a body: each takes many times its length in memory, and no operation needs more than a few."""


def read_document(body: bytes) -> dict[str, Any]:
    """The object that `body` holds: JSON in UTF-8, with or without a byte order mark. Raises `RestError`.

    A member that stands there twice is refused, since readers differ in which of the two they take.
    """
    if sum(map(body.count, (b"{", b"["))) > MAX_NESTED:
        raise RestError("AIS.0014", f"(more than {MAX_NESTED} objects and lists)")
    try:
        document = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        detail = f"({error})" if isinstance(error, _NoJsonError) else ""
        raise RestError("AIS.0014", detail) from error
    if not isinstance(document, dict):
        raise RestError("AIS.0014", "(not an object)")
    return document


class _NoJsonError(ValueError):
    """What Python would read although it is ambiguous or no JSON; the message may be shown."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        msg = "a member stands twice in one object"
        raise _NoJsonError(msg)
    return members


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is no JSON"
    raise _NoJsonError(msg)
