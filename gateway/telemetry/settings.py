"""Settings of traces, and what settings of logs may be."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from gateway.settings import BaseUrl, Settings

LogFormat = Literal["text", "json"]

CallLogLevel = Literal["debug", "info"]
"""At which calls that succeed are logged."""


class TraceSettings(Settings):
    """Where traces go, and how many."""

    endpoint: BaseUrl | None = Field(
        None,
        description="Collector of traces, to whose `/v1/traces` they go by OTLP over HTTP; needs the extra `otel`. "
        "Unset: calls are not traced.",
        examples=["http://127.0.0.1:4318"],
    )
    ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the calls that are traced, of those whose callers do not say whether they are to be.",
        json_schema_extra={"reason": "a collector can drop what it does not want"},
    )
    propagate: bool = Field(
        True,
        description="Whether the cloud is sent `traceparent`.",
        json_schema_extra={"reason": "it tells nothing but a number"},
    )
    headers_file: Path | None = Field(
        None,
        description="File of lines `Name: value`: headers for the collector, such as a key. Read at the start.",
        examples=["/run/secrets/trace-headers"],
    )
    service_name: str = Field(
        "image-gateway", min_length=1, description="What traces call this service.", json_schema_extra={"reason": "its own"}
    )
