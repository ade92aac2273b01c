"""Settings of the gRPC face."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.settings import Settings


class RpcSettings(Settings):
    """Limits of the gRPC server."""

    max_message_bytes: int = Field(
        16 << 20,
        ge=8 << 20,
        le=64 << 20,
        description="Largest request; the default leaves room above the largest picture allowed.",
        json_schema_extra={"reason": "room above the largest picture allowed"},
    )
    max_upload_bytes: int = Field(
        64 << 20,
        ge=8 << 20,
        le=256 << 20,
        description="Largest picture taken in chunks.",
        json_schema_extra={
            "reason": "pictures may be far larger than what is sent on: they are made to fit",
            "reload": True,
        },
    )
    stream_window: int = Field(
        16,
        ge=1,
        le=1000,
        description="Items of one stream worked on at once; beyond it, flow control holds the client back.",
        json_schema_extra={
            "reason": "keeps a few CPUs and the account's calls at once busy, and bounds what one stream holds",
            "reload": True,
        },
    )
    max_batch_requests: int = Field(
        16,
        ge=1,
        le=100,
        description="Most requests of one batch.",
        json_schema_extra={"reason": "as many as the window of a stream works on at once", "reload": True},
    )
    replay_window: float = Field(
        600.0,
        ge=0,
        le=86_400,
        description="Seconds for which the response to a request with a `request_id` is kept for those who send it again.",
        json_schema_extra={"reason": "longer than clients go on trying", "reload": True},
    )
    replay_max_bytes: int = Field(
        32 << 20,
        ge=1 << 20,
        le=1 << 40,
        description="Bytes that the responses kept for that take together, overhead included; the least recently used go first.",
        json_schema_extra={"reason": "some ten thousand responses of tagging", "reload": True},
    )
    max_calls: int = Field(
        256,
        ge=1,
        le=100_000,
        description="Calls worked on at once, streams, health and reflection aside; further ones are refused (OVERLOADED).",
        json_schema_extra={"reason": "far more than the engines or the account work on, few enough to hold", "reload": True},
    )
    max_streams: int = Field(
        512,
        ge=1,
        le=100_000,
        description="Streams open at once; further ones are refused (OVERLOADED).",
        json_schema_extra={"reason": "a stream that waits costs little", "reload": True},
    )
    max_held_bytes: int = Field(
        512 << 20,
        ge=64 << 20,
        le=1 << 40,
        description="Bytes of requests held at once. Beyond it calls are refused (OVERLOADED), and streams, each holding one "
        "more item, read no further.",
        json_schema_extra={
            "reason": "32 messages of the largest size; fits a container of 2 GB beside the engines",
            "reload": True,
        },
    )
    receive_timeout: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Seconds for the message of a call to arrive, once the call has; where a file comes in chunks, for each.",
        json_schema_extra={"reason": "the largest message over 2 Mbit/s", "reload": True},
    )
    compression: Literal["none", "gzip"] = Field(
        "none",
        description="How replies without pictures are sent; requests are taken compressed, too. gzip costs time that pays on "
        "slow networks only.",
        json_schema_extra={"reason": "replies without pictures are short"},
    )
    connection_calls: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Calls at once of one connection; the client holds further ones back.",
        json_schema_extra={"reason": "far above what one client should have under way"},
    )
    connection_age: float = Field(
        1800.0,
        ge=0,
        le=86_400 * 30,
        description="Seconds, 10 % more or less, after which clients are asked to connect anew, by which balancers spread them "
        "over new replicas. 0: never.",
        json_schema_extra={"reason": "new replicas get their share within half an hour"},
    )
    connection_grace: float = Field(
        3600.0,
        gt=0,
        le=86_400 * 30,
        description="Seconds that the calls of such a connection are given to end.",
        json_schema_extra={"reason": "streams may be long, and are taken up elsewhere only if clients can"},
    )
    connection_idle: float = Field(
        900.0,
        ge=0,
        le=86_400 * 30,
        description="Seconds without a call after which a connection is ended, though its client may answer pings. 0: never.",
        json_schema_extra={"reason": "who has not called for a quarter of an hour can connect anew"},
    )
    handshake_timeout: float = Field(
        20.0,
        gt=0,
        le=600,
        description="Seconds that a client has to say hello: for TLS and for HTTP/2's first settings.",
        json_schema_extra={"reason": "a few round trips over the worst network; who never says hello holds little for long"},
    )
    keepalive_time: float = Field(
        60.0,
        ge=1,
        le=7200,
        description="Seconds without a sign of life after which the server pings a client.",
        json_schema_extra={"reason": "below the idle time after which balancers and NATs forget a connection"},
    )
    keepalive_timeout: float = Field(
        20.0,
        ge=0.1,
        le=600,
        description="Seconds without an answer to that ping after which the client counts as gone.",
        json_schema_extra={"reason": "gRPC's own default"},
    )
    least_ping_interval: float = Field(
        5.0,
        ge=0.01,
        le=3600,
        description="Seconds between a client's own pings below which its connection is ended (too_many_pings).",
        json_schema_extra={"reason": "clients that ping every 10 seconds, as many are set to, are let be"},
    )
    channelz: bool = Field(
        False,
        description="Whether gRPC's own account of connections and calls is served (`grpc.channelz.v1.Channelz`). It shows the "
        "addresses of all clients.",
        json_schema_extra={"reason": "it tells callers of each other"},
    )
    tls_certificate: Path | None = Field(
        None,
        description="PEM file with the server's certificate, and those between it and the root; turns TLS on. Read again when it "
        "changes.",
        examples=["/etc/image-gateway/server.pem"],
        json_schema_extra={"reason": "nobody can make one for you"},
    )
    tls_key: Path | None = Field(
        None,
        description="PEM file with the private key, not encrypted, of `tls_certificate`.",
        examples=["/run/secrets/server-key.pem"],
        json_schema_extra={"reason": "belongs to tls_certificate"},
    )
    tls_client_ca: Path | None = Field(
        None,
        description="PEM file of the authorities whose client certificates are taken. Read again when it changes.",
        examples=["/etc/image-gateway/clients.pem"],
        json_schema_extra={"reason": "belongs to tls_client_auth"},
    )
    tls_client_auth: Literal["none", "require"] = Field(
        "none",
        description="Whether clients must prove who they are by a certificate (mutual TLS). gRPC for Python cannot ask for one "
        "without requiring it.",
        json_schema_extra={"reason": "most callers prove who they are by a key or a token"},
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that share the port. Limits of the machine and the account are divided among them.",
        json_schema_extra={
            "reason": "one process serves the account's calls at once easily; more pay where pictures are decoded here"
        },
    )
    drain_timeout: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="Seconds that calls in flight are given to end when the server stops.",
        json_schema_extra={
            "reason": "as long as a call to the cloud may take, and what Kubernetes gives a container by default",
            "reload": True,
        },
    )
    health_interval: float = Field(
        10.0,
        ge=1,
        le=3600,
        description="Seconds between two checks of the provider, and for one of them.",
        json_schema_extra={"reason": "balancers ask about as often", "reload": True},
    )

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "tls_certificate and tls_key: give both or neither"
            raise ValueError(msg)
        if (self.tls_client_ca is None) != (self.tls_client_auth == "none"):
            msg = "tls_client_ca and tls_client_auth = 'require': give both or neither"
            raise ValueError(msg)
        if self.tls_client_ca is not None and self.tls_certificate is None:
            msg = "tls_client_ca: needs tls_certificate and tls_key"
            raise ValueError(msg)
        return self
