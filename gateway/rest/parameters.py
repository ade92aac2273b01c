"""Parameters of operations: what is allowed, what is meant if one is left out, how they are read from JSON and from forms."""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False}

Value = float | int | bool | str


class ParameterError(ValueError):
    """A parameter that is of the wrong kind or out of range; the message may be shown."""

    def __init__(self, name: str, given: object, allowed: str) -> None:
        super().__init__(f"({name} is {reprlib.repr(given)}; it must be {allowed})")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range, inclusive. With `lenient`, one out of range means the default instead of an error."""

    name: str
    default: float
    low: float
    high: float
    meaning: str
    whole: bool = False
    lenient: bool = False

    def read(self, given: object) -> Value:
        """The value that is meant by `given`, of JSON. Raises `ParameterError`."""
        whole = isinstance(given, int) or (isinstance(given, float) and given.is_integer())
        if isinstance(given, bool) or not isinstance(given, int | float) or (self.whole and not whole):
            raise self._error(given)
        if not self.low <= given <= self.high:
            if not self.lenient:
                raise self._error(given)
            given = self.default
        return int(given) if self.whole else float(given)

    def parse(self, text: str) -> Value:
        """The value that is meant by `text`, of a form. Raises `ParameterError`."""
        if not _NUMBER.fullmatch(text):
            raise self._error(text)
        return self.read(float(text))

    def schema(self) -> dict[str, Any]:
        """JSON schema."""
        kind = {"type": "integer"} if self.whole else {"type": "number"}
        limits = {} if self.lenient else {"minimum": self.low, "maximum": self.high}
        return kind | limits | {"default": self.default}

    def _error(self, given: object) -> ParameterError:
        kind = "an integer" if self.whole else "a number"
        return ParameterError(self.name, given, f"{kind} from {self.low:g} to {self.high:g}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values."""

    name: str
    default: Value
    values: tuple[Value, ...]
    meaning: str

    def read(self, given: object) -> Value:
        """As `Number.read`."""
        for value in self.values:
            # 3.0 is 3, but True is not 1.
            if given == value and not isinstance(given, bool):
                return value
        raise ParameterError(self.name, given, " or ".join(map(repr, self.values)))

    def parse(self, text: str) -> Value:
        """As `Number.parse`."""
        return self.read({str(value): value for value in self.values}.get(text, text))

    def schema(self) -> dict[str, Any]:
        """JSON schema."""
        kind = "string" if isinstance(self.default, str) else "integer"
        return {"type": kind, "enum": list(self.values), "default": self.default}


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""

    name: str
    default: bool
    meaning: str

    def read(self, given: object) -> Value:
        """As `Number.read`."""
        if not isinstance(given, bool):
            raise ParameterError(self.name, given, "true or false")
        return given

    def parse(self, text: str) -> Value:
        """As `Number.parse`."""
        return self.read(_SWITCH.get(text.lower(), text))

    def schema(self) -> dict[str, Any]:
        """JSON schema."""
        return {"type": "boolean", "default": self.default}


Parameter = Number | Choice | Switch


def read_all(parameters: tuple[Parameter, ...], members: Mapping[str, object]) -> dict[str, Any]:
    """The value of every parameter, by its name, from the members of a JSON object. What is null or an empty string is not
    given. Raises `ParameterError`."""
    given = {name: value for name, value in members.items() if value is not None and value != ""}
    return {parameter.name: parameter.read(given.get(parameter.name, parameter.default)) for parameter in parameters}


def parse_all(parameters: tuple[Parameter, ...], fields: Mapping[str, str]) -> dict[str, Any]:
    """As `read_all`, from the fields of a form, which are all text."""
    given = {name: text.strip() for name, text in fields.items()}
    return {
        parameter.name: parameter.parse(given[parameter.name]) if given.get(parameter.name) else parameter.read(parameter.default)
        for parameter in parameters
    }
