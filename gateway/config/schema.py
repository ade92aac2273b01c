"""The JSON Schema of the settings file."""

from typing import Any, Final

from gateway.config.declared import declared_settings
from gateway.config.settings import GatewaySettings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def settings_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of the TOML file, for editors and checks.

    Beside what JSON Schema itself says of a setting (`description`, `type`, range, `default`, `examples`, `writeOnly` of secrets)
    stand `x-reason` (why the default), `x-secret`, `x-reload` (whether SIGHUP applies a change), `x-environment` (the variable).
    """
    schema: dict[str, Any] = GatewaySettings.model_json_schema()
    rooms = schema["$defs"]
    for setting in declared_settings():
        parent = _room(schema, rooms, setting.room)
        entry = parent["properties"][setting.name]
        entry.pop("reason", None)
        entry.pop("reload", None)
        entry.pop("title", None)
        if setting.reason:
            entry["x-reason"] = setting.reason
        if setting.depends_on_machine:
            entry["x-default"] = setting.shown_default
        if setting.default is None:
            _without_null(entry)
        entry |= {"x-secret": setting.is_secret, "x-reload": setting.reloads, "x-environment": setting.variable}
    return {"$schema": DIALECT, "title": "Settings of image-gateway"} | {
        name: part for name, part in schema.items() if name != "title"
    }


def _room(schema: dict[str, Any], rooms: dict[str, Any], room: str) -> dict[str, Any]:
    if not room:
        return schema
    found: dict[str, Any] = rooms[schema["properties"][room]["$ref"].rpartition("/")[2]]
    return found


def _without_null(entry: dict[str, Any]) -> None:
    """TOML has no null: a setting that has none by default is left out."""
    entry.pop("default", None)
    parts = [part for part in entry.get("anyOf", []) if part.get("type") != "null"]
    if len(parts) == 1:
        del entry["anyOf"]
        entry |= parts[0]
    elif parts:
        entry["anyOf"] = parts
