"""Every setting, composed from the rooms' own, and read once: flags over environment over file over defaults.

A setting `room.name` is the flag's target, `[room] name` in the TOML file, and `IMAGE_GATEWAY_ROOM_NAME` in the
environment, where an empty value counts as absent. A name that no setting has is an error, wherever it stands.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from gateway.access.settings import AccessSettings
from gateway.breadth.settings import BreadthSettings
from gateway.cache.settings import CacheSettings
from gateway.client.settings import ClientSettings
from gateway.engines.settings import LocalSettings
from gateway.errors import Reason
from gateway.ops.settings import OpsSettings
from gateway.prepare.settings import PrepareSettings
from gateway.redis_store import RedisSettings
from gateway.rest.fault_settings import FaultSettings
from gateway.rest.recording_settings import RecordSettings
from gateway.rest.settings import RestSettings
from gateway.rpc.settings import RpcSettings
from gateway.settings import Address, Settings
from gateway.telemetry.settings import CallLogLevel, LogFormat, TraceSettings
from gateway.upstream.resilience.settings import BreakerSettings, HedgeSettings, LimitSettings, RetrySettings
from gateway.upstream.settings import CloudSettings, DownloadSettings

ENV_PREFIX: Final = "IMAGE_GATEWAY_"
CONFIG_VARIABLE: Final = f"{ENV_PREFIX}CONFIG"

# Kubernetes gives every container the addresses of the Services around it, under names made from theirs: a Service
# called image-gateway must not stop the gateway.
_SERVICE_LINK: Final = re.compile(rf"{ENV_PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)")


_USER_INFO: Final = re.compile(r"(//)?[^\s'\"]*@")


_FALL_BACK_ON: Final = (
    Reason.UPSTREAM_AUTHENTICATION_FAILED,
    Reason.UPSTREAM_PERMISSION_DENIED,
    Reason.UPSTREAM_NOT_ENABLED,
    Reason.UPSTREAM_ACCOUNT_RESTRICTED,
    Reason.UPSTREAM_NOT_FOUND,
    Reason.UPSTREAM_THROTTLED,
    Reason.UPSTREAM_UNAVAILABLE,
    Reason.UPSTREAM_SUSPENDED,
    Reason.UPSTREAM_TIMEOUT,
    Reason.UPSTREAM_REPLY_LOST,
    Reason.UPSTREAM_INTERNAL,
    Reason.UPSTREAM_BAD_RESPONSE,
    Reason.OVERLOADED,
    Reason.DEADLINE_TOO_SHORT,
    Reason.BUDGET_EXHAUSTED,
    Reason.BUDGET_UNKNOWN,
    Reason.UNIMPLEMENTED,
)
"""What is no fault of the picture or the request."""


def _check_reasons(names: str) -> str:
    for name in filter(None, names.split(",")):
        if name not in Reason.__members__:
            near = difflib.get_close_matches(name, Reason.__members__, n=1)
            msg = f"{name!r} is not a reason of docs/errors.md{f'; did you mean {near[0]}?' if near else ''}"
            raise ValueError(msg)
    return names


class GatewaySettings(Settings):
    """All settings."""

    listen: Address = Field("127.0.0.1:50051", description="Address that the gRPC server listens on; port 0 means a free one.")
    provider: Literal["local", "cloud", "cloud,local", "local,cloud"] = Field(
        "local",
        description="Who does the work: this process, the cloud's API, or both, the second taking over where the first fails.",
    )
    fall_back_on: Annotated[str, AfterValidator(_check_reasons)] = Field(
        ",".join(_FALL_BACK_ON),
        description="Failures of the first provider after which the second takes over: reasons (docs/errors.md), with commas.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe messages logged to standard error."
    )
    log_format: LogFormat = Field("text", description="What a line of the log is: text, or a JSON object.")
    log_calls: CallLogLevel = Field(
        "debug", description="At which level calls that succeed are logged, one line for each; failures always are."
    )
    log_calls_share: float = Field(1.0, ge=0, le=1, description="Share of the calls that succeed for which that is done.")
    rpc: RpcSettings = Field(default_factory=RpcSettings)
    access: AccessSettings = Field(default_factory=AccessSettings)
    client: ClientSettings = Field(default_factory=ClientSettings)
    prepare: PrepareSettings = Field(default_factory=PrepareSettings)
    breadth: BreadthSettings = Field(default_factory=BreadthSettings)
    local: LocalSettings = Field(default_factory=LocalSettings)
    cloud: CloudSettings = Field(default_factory=CloudSettings)
    retry: RetrySettings = Field(default_factory=RetrySettings)
    limit: LimitSettings = Field(default_factory=LimitSettings)
    breaker: BreakerSettings = Field(default_factory=BreakerSettings)
    hedge: HedgeSettings = Field(default_factory=HedgeSettings)
    cache: CacheSettings = Field(default_factory=CacheSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    download: DownloadSettings = Field(default_factory=DownloadSettings)
    rest: RestSettings = Field(default_factory=RestSettings)
    faults: FaultSettings = Field(default_factory=FaultSettings)
    record: RecordSettings = Field(default_factory=RecordSettings)
    ops: OpsSettings = Field(default_factory=OpsSettings)
    trace: TraceSettings = Field(default_factory=TraceSettings)

    def fall_back_reasons(self) -> frozenset[Reason]:
        """Of `fall_back_on`."""
        return frozenset(Reason[name] for name in self.fall_back_on.split(",") if name)


class ConfigError(Exception):
    """Settings that cannot be used: one line for each, with its name, its value (unless secret) and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Declared:
    """One setting as it is declared."""

    def __init__(self, room: str, name: str, field: FieldInfo, schema: Mapping[str, Any]) -> None:
        self.path = f"{room}.{name}" if room else name
        self.variable = ENV_PREFIX + self.path.replace(".", "_").upper()
        self.is_secret = _holds_secret(field.annotation)
        self.description = field.description or ""
        self.shown_default = _shown_default(field)
        self.allowed = _allowed(schema)


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_holds_secret(part) for part in get_args(annotation))


def declared_settings() -> Iterator[Declared]:
    """Every setting, in order of declaration."""
    yield from _declared("", GatewaySettings)
    for room, field in GatewaySettings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from _declared(room, field.annotation)


def load_settings(flags: Mapping[str, str | None], environment: Mapping[str, str], file: Path | None = None) -> GatewaySettings:
    """Compose the settings. `flags` maps paths (`cloud.region`) to values, None for a flag that was not given.

    Raises `ConfigError`.
    """
    problems: list[str] = []
    known = {setting.path: setting for setting in declared_settings()}
    if file is None and environment.get(CONFIG_VARIABLE):
        file = Path(environment[CONFIG_VARIABLE])
    # Path → (value, where it stands); later ones win.
    values = _from_file(file, known, problems) if file is not None else {}
    values |= _from_environment(environment, known, problems)
    values |= {path: (value, "the command line") for path, value in flags.items() if value is not None}
    if problems:
        raise ConfigError(problems)
    document: dict[str, Any] = {}
    for path, (value, _) in values.items():
        room, _, name = path.rpartition(".")
        (document.setdefault(room, {}) if room else document)[name] = value
    try:
        return GatewaySettings.model_validate(document)
    except ValidationError as error:
        raise ConfigError([_describe(dict(problem), known, values) for problem in error.errors(include_url=False)]) from None


_Values = dict[str, tuple[object, str]]


def _declared(room: str, model: type[Settings]) -> Iterator[Declared]:
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Settings)):
            yield Declared(room, name, field, schema[name])


def _from_file(file: Path, known: Mapping[str, Declared], problems: list[str]) -> _Values:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"config file {file} cannot be read: {error.strerror}")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"config file {file} is not TOML: {error}")
        return {}
    values: _Values = {}
    for name, value in document.items():
        members = {f"{name}.{key}": member for key, member in value.items()} if isinstance(value, dict) else {name: value}
        for path, member in members.items():
            if path in known:
                values[path] = (member, str(file))
            elif path == name and name in GatewaySettings.model_fields:
                problems.append(f"{name} in {file} is {member!r}; it must be a table of settings: [{name}]")
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


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _describe(problem: dict[str, Any], known: Mapping[str, Declared], values: _Values) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    value, origin = values.get(path, (None, ""))
    rule = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else ""
    setting = known.get(path)
    if setting is None:  # a rule between several settings of a room; its message names them
        return f"settings of {path or 'the gateway'}: {rule or problem['msg']}"
    shown = "(not shown)" if setting.is_secret else _USER_INFO.sub("…@", repr(value))
    return f"setting {path} is {shown} (from {origin}); {rule or f'it must be {setting.allowed}'}"


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
