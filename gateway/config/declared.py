"""The settings as they are declared, for those who read about them."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

from gateway.config.settings import ENV_PREFIX, GatewaySettings
from gateway.settings import Settings, holds_secret


class Declared:
    """One setting as it is declared."""

    def __init__(self, room: str, name: str, field: FieldInfo, schema: Mapping[str, Any]) -> None:
        self.room = room
        self.name = name
        self.path = f"{room}.{name}" if room else name
        self.variable = ENV_PREFIX + self.path.replace(".", "_").upper()
        self.is_secret = holds_secret(field.annotation)
        self.description = field.description or ""
        self.default: object = None if field.is_required() or field.default_factory else field.default
        self.depends_on_machine = field.default_factory is not None
        self.shown_default = _shown_default(field)
        self.allowed = _allowed(schema)
        self.example: object = field.examples[0] if field.examples else None
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        self.reason = str(extra.get("reason", ""))
        """Why the default is what it is."""
        self.reloads = extra.get("reload") is True
        """Whether a change takes effect on SIGHUP."""


@functools.cache
def declared_settings() -> tuple[Declared, ...]:
    """Every setting, in order of declaration: those in no room first."""
    settings = list(_declared("", GatewaySettings))
    for room, field in GatewaySettings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            settings += _declared(room, field.annotation)
    return tuple(settings)


def _declared(room: str, model: type[Settings]) -> Iterator[Declared]:
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Settings)):
            yield Declared(room, name, field, schema[name])


def _shown_default(field: FieldInfo) -> str:
    """The default as the documentation shows it."""
    if field.default_factory is not None:
        return "depends on the machine"
    match field.default:
        case None:
            return "none"
        case bool() as switch:
            return str(switch).lower()
        case number_or_text:
            return f"`{number_or_text}`"


_TYPES: Final = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}
_FORMATS: Final = {"address": "HOST:PORT", "url": "an HTTP(S) URL", "path": "a file"}


def _allowed(schema: Mapping[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    if "anyOf" in schema:
        return _allowed(next(part for part in schema["anyOf"] if part.get("type") != "null"))
    if "enum" in schema:
        return " or ".join(repr(value) for value in schema["enum"])
    words = _FORMATS.get(schema.get("format", "")) or _TYPES.get(schema.get("type", ""), "a value")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and "exclusiveMinimum" in schema:
        words, low = f"{words} above {schema['exclusiveMinimum']:g}", None
        return f"{words} and up to {high:g}" if high is not None else words
    if low is not None and high is not None:
        return f"{words} from {low:.15g} to {high:.15g}"
    if "pattern" in schema:
        return f"{words} that matches {schema['pattern']}"
    return f"{words} that is not empty" if schema.get("minLength") else words
