"""Settings of the gRPC face."""

from pydantic import Field

from gateway.settings import Settings


class RpcSettings(Settings):
    """Limits of the gRPC server."""

    max_message_bytes: int = Field(
        16 << 20,
        ge=8 << 20,
        le=64 << 20,
        description="Largest request; the default leaves room above the largest picture allowed.",
    )
    stream_window: int = Field(
        16,
        ge=1,
        le=1000,
        description="Items of one stream worked on at once; beyond it, flow control holds the client back.",
    )
    drain_timeout: float = Field(
        30.0, ge=0, le=3600, description="Seconds that calls in flight are given to end when the server stops."
    )
    health_interval: float = Field(
        10.0, ge=1, le=3600, description="Seconds between two checks of the provider, and for one of them."
    )
