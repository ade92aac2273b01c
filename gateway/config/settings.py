"""Every setting, composed from the rooms' own."""

import difflib
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

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
    Reason.BUDGET_EXHAUSTED,
    Reason.BUDGET_UNKNOWN,
    Reason.DEADLINE_TOO_SHORT,
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

    listen: Address = Field(
        "127.0.0.1:50051",
        description="Address that the gRPC server listens on; port 0 means a free one.",
        json_schema_extra={
            "reason": "this machine alone, until somebody decides who may call; 50051 is the port of gRPC's own examples"
        },
    )
    provider: Literal["local", "cloud", "cloud,local", "local,cloud"] = Field(
        "local",
        description="Who does the work: this process, the cloud's API, or both, the second taking over where the first fails.",
        json_schema_extra={"reason": "works with nothing configured, and costs nothing"},
    )
    fall_back_on: Annotated[str, AfterValidator(_check_reasons)] = Field(
        ",".join(_FALL_BACK_ON),
        description="Failures of the first provider after which the second takes over: reasons (docs/errors.md), with commas.",
        json_schema_extra={"reason": "what is no fault of the picture or the request", "reload": True},
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description="Least severe messages logged to standard error.",
        json_schema_extra={"reason": "starts, stops and what an operator must know; not each call", "reload": True},
    )
    log_format: LogFormat = Field(
        "text",
        description="What a line of the log is: text, or a JSON object.",
        json_schema_extra={"reason": "people read it first"},
    )
    log_calls: CallLogLevel = Field(
        "debug",
        description="At which level calls that succeed are logged, one line for each; failures always are.",
        json_schema_extra={"reason": "metrics count them, and there are many"},
    )
    log_calls_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the calls that succeed for which that is done.",
        json_schema_extra={"reason": "who wants lines of calls wants all"},
    )
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

    @property
    def providers_need_redis(self) -> bool:
        """Whether answers or the cloud's token are to be kept in a Redis."""
        return (self.cache.enabled and self.cache.store == "redis") or self.redis.share_token

    @property
    def needs_redis(self) -> bool:
        """Whether anything is."""
        return self.providers_need_redis or self.access.budget_store == "redis"

    def fall_back_reasons(self) -> frozenset[Reason]:
        """Of `fall_back_on`."""
        return frozenset(Reason[name] for name in self.fall_back_on.split(",") if name)


class ConfigError(Exception):
    """Settings that cannot be used: one line for each, with its name, its value (unless secret) and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
