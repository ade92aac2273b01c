"""The body of a request as JSON, read more strictly than Python's reader does by itself."""

import json
from typing import Any, Final, NoReturn

from gateway.rest.errors import RestError

MAX_VALUES: Final = 10_000
"""Values in a body, counted by what stands between them: each takes many times its length in memory and in time, during which
no other request moves, and no operation needs more than a few."""

_LONGEST_INTEGER: Final = 20
"""Characters of an integer that is read as one; a longer one is out of any range, and costly to read exactly."""


def read_document(body: bytes) -> dict[str, Any]:
    """The object that `body` holds: JSON in UTF-8, with or without a byte order mark. Raises `RestError`.

    A member that stands there twice is refused, since readers differ in which of the two they take.
    """
    if sum(map(body.count, (b"{", b"[", b","))) > MAX_VALUES:
        raise RestError("AIS.0014", f"(more than {MAX_VALUES} values)")
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise RestError("AIS.0014", f"({error.msg.rstrip(': ')}, at character {error.pos})") from error
    except UnicodeDecodeError as error:
        raise RestError("AIS.0014", f"(not UTF-8, at byte {error.start})") from error
    except RecursionError as error:
        raise RestError("AIS.0014", "(nested too deeply)") from error
    except _NoJsonError as error:
        raise RestError("AIS.0014", f"({error})") from error
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


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is no JSON"
    raise _NoJsonError(msg)
