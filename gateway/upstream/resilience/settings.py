"""Settings of the policies for calls to the cloud."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.settings import Settings


class RetrySettings(Settings):
    """Which calls are made again, and how often."""

    attempts: int = Field(
        3,
        ge=1,
        le=5,
        description="Attempts for one call, the first included; 1 means that no call is made again. 5 is gRPC's bound.",
        json_schema_extra={"reason": "most failures that pass are over by the third; gRPC's bound is 5", "reload": True},
    )
    base_delay: Annotated[float, Field(gt=0, le=60)] = Field(
        0.2,
        description="Longest pause before the second attempt, in seconds; it doubles with every further one, at random below.",
        json_schema_extra={"reason": "a throttle counts calls by the second", "reload": True},
    )
    max_delay: Annotated[float, Field(gt=0, le=300)] = Field(
        20.0,
        description="Longest pause in seconds. If the cloud asks for a longer one, the call is not made again, and its caller is "
        "told for how long to wait.",
        json_schema_extra={"reason": "as long as a caller would wait", "reload": True},
    )
    budget_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.2,
        description="Further attempts in the long run, as a share of the calls, so that an outage is not multiplied.",
        json_schema_extra={"reason": "an outage is not multiplied: Finagle's and Envoy's default", "reload": True},
    )
    budget_reserve: int = Field(
        10,
        ge=1,
        le=10_000,
        description="Further attempts beyond that share at a time, so that a quiet gateway can retry at all.",
        json_schema_extra={"reason": "a quiet gateway can retry at all", "reload": True},
    )
    lost_replies: bool = Field(
        default=False,
        description="Whether calls are made again whose reply was lost, or is no contract's. Off: they may have been billed.",
        json_schema_extra={"reason": "they may have been billed", "reload": True},
    )


class LimitSettings(Settings):
    """How many calls are made at once and per second, and how many wait for that."""

    concurrency: int = Field(
        10,
        ge=1,
        le=1000,
        description="Calls in flight at once, at most; 10 is the vendor's default for an account.",
        json_schema_extra={"reason": "the vendor's default for an account", "reload": True},
    )
    adaptive: bool = Field(
        default=True,
        description="Whether fewer are made at once after the cloud has throttled one, since others may use the same account.",
        json_schema_extra={"reason": "others may use the same account", "reload": True},
    )
    least: int = Field(
        1,
        ge=1,
        le=1000,
        description="Calls at once that remain allowed however often the cloud throttles.",
        json_schema_extra={"reason": "one call finds out whether the throttle is over", "reload": True},
    )
    rate: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        None,
        description="Calls per second; unless given, only their number at once is bounded, as the vendor does.",
        examples=[20],
        json_schema_extra={"reload": True},
    )
    burst: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Calls that may start at once after a pause; unless given, those of one second, or one.",
        examples=[20],
        json_schema_extra={"reload": True},
    )
    queue_length: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Calls that wait for their turn, of all tenants together; further ones are refused.",
        json_schema_extra={"reason": "a minute's work of an account with 10 calls at once", "reload": True},
    )
    queue_time: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0,
        description="Seconds that a call waits for its turn, at most; a caller's shorter deadline ends the wait before.",
        json_schema_extra={"reason": "as long as a call itself may take", "reload": True},
    )
    max_hold: Annotated[float, Field(ge=0, le=300)] = Field(
        20.0,
        description="Seconds for which no call is started after the cloud has throttled one and asked to wait, at most.",
        json_schema_extra={"reason": "a service that asks for more is better asked than believed", "reload": True},
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.least > self.concurrency:
            msg = "least: must not be more than concurrency"
            raise ValueError(msg)
        return self


class BreakerSettings(Settings):
    """When calls of an operation are suspended because they fail."""

    enabled: bool = Field(
        default=True,
        description="Whether calls are suspended at all.",
        json_schema_extra={"reason": "what is down is not helped by calls", "reload": True},
    )
    failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="Failures one after another that suspend an operation; 5 as in Envoy.",
        json_schema_extra={"reason": "Envoy's default", "reload": True},
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        description="Share of failures within the window that suspends an operation, whatever succeeds between them.",
        json_schema_extra={"reason": "half of what callers pay for fails", "reload": True},
    )
    calls: int = Field(
        20,
        ge=1,
        le=100_000,
        description="Calls within the window below which their share of failures says nothing.",
        json_schema_extra={"reason": "a share of fewer says nothing", "reload": True},
    )
    window: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0,
        description="Seconds that a result counts.",
        json_schema_extra={"reason": "long enough for 20 calls, short enough to forget", "reload": True},
    )
    pause: Annotated[float, Field(gt=0, le=3600)] = Field(
        5.0,
        description="Seconds until an attempt is made to see whether the operation works again; doubled each time it does not.",
        json_schema_extra={"reason": "a restart of one server", "reload": True},
    )
    max_pause: Annotated[float, Field(gt=0, le=3600)] = Field(
        300.0,
        description="Longest such pause in seconds.",
        json_schema_extra={"reason": "an outage that is over is noticed within five minutes", "reload": True},
    )
    probes: int = Field(
        1,
        ge=1,
        le=100,
        description="Attempts at once that see whether the operation works again.",
        json_schema_extra={"reason": "one answer is enough", "reload": True},
    )


class HedgeSettings(Settings):
    """Whether a slow call is made a second time while the first is still under way."""

    after: Annotated[float, Field(gt=0, le=300)] | None = Field(
        None,
        description="Seconds without an answer after which a second attempt is made. Unset: none, since each may be billed.",
        examples=[2],
        json_schema_extra={"reload": True},
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.05,
        description="Second attempts in the long run, as a share of the calls; they count for the retry budget, too.",
        json_schema_extra={"reason": "one call in twenty is slow", "reload": True},
    )
