"""`NAME=VALUE` of the command line as the parameters of an operation."""

import enum
import typing
from collections.abc import Collection, Iterable
from typing import Any, Final, TypeVar

from gateway.errors import GatewayError, Reason

_T = TypeVar("_T")

_TRUTHS: Final = {"true": True, "false": False}


def parsed_parameters(kind: type[_T], names: Collection[str], assignments: Iterable[str]) -> _T:
    """An instance of the dataclass `kind` with the fields that `assignments` (`name=value`) set, the others by default.

    `names` are the fields that can be set. Raises `GatewayError` with `INVALID_ARGUMENT` that says which there are, and which
    values they can have.
    """
    types = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise _refused(name, f"-p {assignment}: write NAME=VALUE")
        if name not in names:
            known = ", ".join(names) or "none at all"
            raise _refused(name, f"there is no parameter {name!r}; there are: {known}")
        if name in values:
            raise _refused(name, f"{name} is given twice")
        values[name] = _value(name, text, types[name])
    return kind(**values)


def _value(name: str, text: str, kind: Any) -> object:  # noqa: ANN401  # a type, or a special form such as `str | None`
    kinds = [each for each in typing.get_args(kind) or (kind,) if each is not type(None)]
    for each in kinds:
        try:
            return _TRUTHS[text.lower()] if each is bool else each(text)
        except (KeyError, ValueError):
            continue
    allowed = " or ".join(map(_spelling, kinds))
    raise _refused(name, f"{name} is {text!r}; it must be {allowed}", measured=text, allowed=allowed)


def _spelling(kind: type) -> str:
    if issubclass(kind, enum.Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "a text")


def _refused(name: str, message: str, *, measured: str = "", allowed: str = "") -> GatewayError:
    return GatewayError(Reason.INVALID_ARGUMENT, message, field=f"parameters.{name}", measured=measured, allowed=allowed)
