"""Reading the settings: flags over environment over file over defaults.

A setting `room.name` is the flag's target, `[room] name` in the TOML file, and `IMAGE_GATEWAY_ROOM_NAME` in the
environment, where an empty value counts as absent. A name that no setting has is an error, wherever it stands.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from gateway.config.declared import Declared, declared_settings
from gateway.config.settings import ENV_PREFIX, ConfigError, GatewaySettings

CONFIG_VARIABLE: Final = f"{ENV_PREFIX}CONFIG"

# Kubernetes gives every container the addresses of the Services around it, under names made from theirs: a Service
# called image-gateway must not stop the gateway.
_SERVICE_LINK: Final = re.compile(rf"{ENV_PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")

_USER_INFO: Final = re.compile(r"(//)?[^\s'\"]*@")

_KINDS: Final = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "an array", dict: "a table"}


class Loaded(NamedTuple):
    """Settings, and where each that was given comes from: the file, an environment variable, or the command line."""

    settings: GatewaySettings
    origins: Mapping[str, str]
    file: Path | None


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], file: Path | None = None) -> GatewaySettings:
    """Compose the settings. `flags` maps paths (`cloud.region`) to values, None for a flag that was not given.

    Raises `ConfigError`.
    """
    return load(flags, environment, file).settings


def load(flags: Mapping[str, str | None], environment: Mapping[str, str], file: Path | None = None) -> Loaded:
    """As `load_settings`, with the origins."""
    problems: list[str] = []
    known = {setting.path: setting for setting in declared_settings()}
    if file is None and environment.get(CONFIG_VARIABLE):
        file = Path(environment[CONFIG_VARIABLE])
    # Path → (value, where it stands); later ones win.
    values = _from_file(file, known, problems) if file is not None else {}
    values |= _from_environment(environment, known, problems)
    values |= {path: (value, "the command line") for path, value in flags.items() if value is not None}
    document: dict[str, Any] = {}
    for path, (value, _) in values.items():
        room, _, name = path.rpartition(".")
        (document.setdefault(room, {}) if room else document)[name] = value
    settings: GatewaySettings | None = None
    try:
        settings = GatewaySettings.model_validate(document)
    except ValidationError as error:
        problems += [_describe(dict(problem), known, values) for problem in error.errors(include_url=False)]
    if settings is None or problems:
        raise ConfigError(problems)
    return Loaded(settings, {path: origin for path, (_, origin) in values.items()}, file)


_Values = dict[str, tuple[object, str]]


def _from_file(file: Path, known: Mapping[str, Declared], problems: list[str]) -> _Values:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"config file {file} cannot be read: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        problems.append(f"config file {file} is not TOML: {error}")
        return {}
    values: _Values = {}
    for name, value in document.items():
        members = {f"{name}.{key}": member for key, member in value.items()} if isinstance(value, dict) else {name: value}
        for path, member in members.items():
            if path in known:
                values[path] = (member, str(file))
            elif path == name and name in GatewaySettings.model_fields:
                # An array of tables may hold secrets.
                shown = repr(member) if isinstance(member, str | int | float) else _kind(member)
                problems.append(f"{name} in {file} is {shown}; it must be a table of settings: [{name}]")
            else:
                problems.append(f"unknown setting {path} in {file}{_nearest(path, known)}")
    return values


def _from_environment(environment: Mapping[str, str], known: Mapping[str, Declared], problems: list[str]) -> _Values:
    by_variable = {setting.variable: setting.path for setting in known.values()}
    values: _Values = {}
    for variable, value in environment.items():
        if not variable.startswith(ENV_PREFIX) or variable == CONFIG_VARIABLE or not value:
            continue
        if variable in by_variable:
            values[by_variable[variable]] = (value, f"environment variable {variable}")
        elif not _SERVICE_LINK.fullmatch(variable):
            problems.append(f"unknown setting {variable} in the environment{_nearest(variable, by_variable)}")
    return values


def _kind(value: object) -> str:
    return next((words for kind, words in _KINDS.items() if isinstance(value, kind)), "a date or time")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _describe(problem: dict[str, Any], known: Mapping[str, Declared], values: _Values) -> str:
    # What is wrong within a setting that is a table or an array of such stands below its path.
    location = tuple(problem["loc"])
    path = next((path for end in (2, 1) if (path := ".".join(map(str, location[:end]))) in known), ".".join(map(str, location)))
    value, origin = values.get(path, (None, ""))
    rule = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else ""
    setting = known.get(path)
    if setting is None:  # a rule between several settings of a room; its message names them
        return f"settings of {path or 'the gateway'}: {rule or problem['msg']}"
    below = location[len(path.split(".")) :]
    if problem["type"] == "extra_forbidden":
        inside = path + place(below)
        return f"unknown setting {inside} (from {origin}){_nearest(str(below[-1]), fields_at(GatewaySettings, location[:-1]))}"
    if below:
        return f"setting {path}{place(below)} (from {origin}): {rule or problem['msg']}"
    shown = "(not shown)" if setting.is_secret else _USER_INFO.sub("…@", repr(value))
    return f"setting {path} is {shown} (from {origin}); {rule or f'it must be {setting.allowed}'}"


def place(location: Sequence[int | str]) -> str:
    """Where something stands within a setting, such as `[0].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def fields_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The names that may stand at a place within `model`; none if it is no table."""
    annotation: object = model
    for part in location:
        if isinstance(part, int):
            continue  # of an array, whose items are what its annotation names
        fields = [kind.model_fields[part] for kind in _models(annotation) if part in kind.model_fields]
        if not fields:
            return []
        annotation = fields[0].annotation
    return [name for kind in _models(annotation) for name in kind.model_fields]


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
