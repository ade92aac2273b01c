"""Members of a JSON document that somebody else may have written. All raise `ValueError` or `TypeError` for what is none."""

import math
from typing import Any


def read_list(value: object) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise TypeError
    return value


def read_text(value: object) -> str:
    """A text that can be sent on: without halves of surrogate pairs, which JSON can spell and protobuf cannot hold."""
    if not isinstance(value, str):
        raise TypeError
    if not value.isascii():
        value.encode()
    return value


def read_number(value: object) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError from error
    if not math.isfinite(number):
        raise ValueError
    return number


def read_percent(value: object) -> float:
    """A number from 0 to 100."""
    number = value if isinstance(value, float) else read_number(value)
    if not 0.0 <= number <= 100.0:  # also true for NaN
        raise ValueError
    return number


def read_count(value: object) -> int:
    """A whole number from 0 to 2³¹ − 1, which every protocol that it goes into can hold."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not 0 <= value < 1 << 31:
        raise ValueError
    return value
