"""Settings of the cache."""

from typing import Annotated, Final, Literal

from pydantic import Field

from gateway.settings import Settings

ENTRY_SHARE: Final = 8
"""An answer longer than the bound divided by this is not kept: it would push out too many others."""


class CacheSettings(Settings):
    """What is remembered of answers, where, and for how long."""

    enabled: bool = Field(
        default=True,
        description="Whether answers are remembered, and identical calls at the same time are made once.",
        json_schema_extra={"reason": "the same picture costs once"},
    )
    store: Literal["memory", "redis"] = Field(
        "memory",
        description="Where: in this process, or in a Redis (room `redis`) that replicas share and that outlives them.",
        json_schema_extra={"reason": "needs nothing else"},
    )
    max_bytes: int = Field(
        64 << 20,
        ge=1 << 20,
        le=64 << 30,
        description="Bytes that remembered answers take in this process, some 5000 of tagging; of Redis, its `maxmemory` is the "
        "bound. An answer over an eighth of this is not kept, in either.",
        json_schema_extra={"reason": "some 5000 answers of tagging", "reload": True},
    )
    ttl: Annotated[float, Field(gt=0, le=31_536_000)] = Field(
        86_400.0,
        description="Seconds for which an answer is remembered; what a picture shows does not change, but the models that "
        "look at it do, so a day.",
        json_schema_extra={
            "reason": "a day: what a picture shows does not change, but the models that look at it do",
            "reload": True,
        },
    )
    error_ttl: Annotated[float, Field(ge=0, le=86_400)] = Field(
        60.0,
        description="Seconds for which it is remembered that a picture was refused, 0 for not at all; refusals cost nothing, so "
        "long enough for a client that tries again only.",
        json_schema_extra={"reason": "refusals cost nothing, so long enough for a client that tries again only", "reload": True},
    )
    uri_ttl: Annotated[float, Field(ge=0, le=31_536_000)] = Field(
        0.0,
        description="Seconds for which the answer to a URL that the provider downloads is remembered; what is behind a URL can "
        "change, so 0: not at all.",
        json_schema_extra={"reason": "what is behind a URL can change", "reload": True},
    )
    whole_tagging: bool = Field(
        default=True,
        description="Whether tags are asked for with the lowest threshold and the highest limit and chosen here, so that one "
        "call serves every language, threshold and limit.",
        json_schema_extra={"reason": "one call serves every language, threshold and limit", "reload": True},
    )

    @property
    def max_entry_bytes(self) -> int:
        """Longest answer that is kept."""
        return self.max_bytes // ENTRY_SHARE
