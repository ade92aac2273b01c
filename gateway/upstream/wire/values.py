"""The values that results are made of. Each reader raises one of `NOT_THE_CONTRACTS` for anything else."""

import contextlib
import json
import math
from collections.abc import Iterator
from typing import Any, Final

from gateway.errors import GatewayError, Reason
from gateway.media import Box

NOT_THE_CONTRACTS: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What reading a document of another form than expected raises."""


@contextlib.contextmanager
def reading(operation: str) -> Iterator[None]:
    """Turn what a result of another form raises into `GatewayError` with `UPSTREAM_BAD_RESPONSE`."""
    try:
        yield
    except NOT_THE_CONTRACTS as error:
        raise GatewayError(
            Reason.UPSTREAM_BAD_RESPONSE, f"the cloud's reply to {operation} is not what its contract says"
        ) from error


def result_of(body: bytes) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """The member `result` of a JSON object."""
    return json.loads(body)["result"]


def text(value: object) -> str:
    """A string that protobuf can hold too."""
    if not isinstance(value, str):
        msg = "not a string"
        raise TypeError(msg)
    value.encode()  # a ValueError for half of a surrogate pair, which JSON can spell
    return value


def number(value: object) -> float:
    """A finite number, or the string of one: the service sends both."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        msg = "not a number"
        raise TypeError(msg)
    found = float(value)
    if not math.isfinite(found):
        msg = "not a finite number"
        raise ValueError(msg)
    return found


def percent(value: object) -> float:
    """A confidence of 0 to 100."""
    return _at_most(100.0, value)


def share(value: object) -> float:
    """A confidence of 0 to 1."""
    return _at_most(1.0, value)


def _at_most(highest: float, value: object) -> float:
    found = number(value)
    if not 0.0 <= found <= highest:
        msg = "confidence out of range"
        raise ValueError(msg)
    return found


def box(value: dict[str, Any]) -> Box:
    """A rectangle in pixels: `top_left_x` is the distance to the left edge."""
    return Box(
        left=number(value["top_left_x"]),
        top=number(value["top_left_y"]),
        width=number(value["width"]),
        height=number(value["height"]),
    )
