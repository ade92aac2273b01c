"""Settings of the REST face."""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, model_validator

from gateway.settings import Address, Settings

ID_FORM: Final = r"^[A-Za-z0-9_-]{1,64}$"
"""Ids of projects, users and domains: what stands in a path as it is."""

ACCESS_KEY_FORM: Final = r"^[A-Za-z0-9_.-]{1,128}$"
"""Access keys: what stands in an Authorization header as it is."""


class RestConfigError(ValueError):
    """Settings, or files that they name, that the REST face cannot start with. No message holds a secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RestSettings(Settings):
    """Where the REST face listens, and whom it lets in. Its credentials are its own, never the cloud's."""

    listen: Address = Field(
        "127.0.0.1:8600",
        description="Address to listen on; port 0 means a free one.",
        json_schema_extra={"reason": "this machine alone"},
    )
    user: str = Field(
        "demo",
        min_length=1,
        description="Name of the user that these settings declare.",
        json_schema_extra={"reason": "any name does; without a password nobody gets in"},
    )
    password: SecretStr | None = Field(
        None, min_length=1, description="That user's password. Without one, that user cannot sign in by password."
    )
    password_file: Path | None = Field(
        None, description="File that holds that password. Read at the start.", examples=["/run/secrets/rest-password"]
    )
    domain: str = Field(
        "demo",
        min_length=1,
        description="Account (domain) of that user.",
        json_schema_extra={"reason": "likewise"},
    )
    project: str = Field(
        "cn-east-3",
        min_length=1,
        description="Name of that user's project; clients use the region's name.",
        json_schema_extra={"reason": "clients use the region's name"},
    )
    project_id: str = Field(
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        pattern=ID_FORM,
        description="Id of that project, as in request paths.",
        json_schema_extra={"reason": "an example that has the form of the cloud's"},
    )
    access_key: str | None = Field(
        None,
        pattern=ACCESS_KEY_FORM,
        description="Access key (AK) of that user, for signed requests.",
        examples=["AKEXAMPLE"],
    )
    secret_key: SecretStr | None = Field(None, min_length=1, description="Secret key (SK) that belongs to `access_key`.")
    secret_key_file: Path | None = Field(
        None, description="File that holds that secret key. Read at the start.", examples=["/run/secrets/rest-secret-key"]
    )
    accounts_file: Path | None = Field(
        None,
        description="TOML file with further users, projects, keys and quotas (docs/rest-credentials.md). Read at the start.",
        examples=["/etc/image-gateway/accounts.toml"],
    )
    token_lifetime: int = Field(
        86_400,
        ge=60,
        le=604_800,
        description="Seconds for which a token is valid; the cloud's is 24 hours.",
        json_schema_extra={"reason": "the cloud's is 24 hours"},
    )
    token_bytes: int = Field(
        4096,
        ge=0,
        le=16_384,
        description="Least length of a token. The cloud's are of several KB, which clients must cope with.",
        json_schema_extra={"reason": "the cloud's are of several KB, which clients must cope with"},
    )
    token_key_file: Path | None = Field(
        None,
        description="File with the secret that tokens and temporary keys are made with, at least 32 bytes: they then survive "
        "restarts and serve all replicas that share it. Without one, the secret is random and ends with the process.",
        examples=["/run/secrets/rest-token-key"],
    )
    refuse_replays: bool = Field(
        default=True,
        description="Refuse a signed request that comes again while its signing time is still accepted.",
        json_schema_extra={"reason": "a request that was overheard cannot be sent again"},
    )
    replay_grace: Annotated[float, Field(ge=0, le=60)] = Field(
        2.0,
        description="Seconds in which the same signature may come again: signing times are whole seconds, so two honest requests "
        "alike in one second cannot be told from a replay. 0 refuses them.",
        json_schema_extra={"reason": "two honest requests alike in one second cannot be told from a replay"},
    )
    max_requests: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Requests at once; further ones are refused with HTTP 429. Each may hold some tens of MB.",
        json_schema_extra={"reason": "each may hold some tens of MB"},
    )
    header_timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0,
        description="Seconds in which a request's headers have to arrive; then its connection is closed, as one that is idle.",
        json_schema_extra={"reason": "headers are a few packets; who takes longer holds the place of another"},
    )
    body_timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        60.0,
        description="Seconds in which a request's body has to arrive; after that it is answered with HTTP 408.",
        json_schema_extra={"reason": "the largest body over 2 Mbit/s"},
    )
    tls_certificate: Path | None = Field(
        None,
        description="PEM file with the server's certificate, and those between it and the root; turns TLS on.",
        examples=["/etc/image-gateway/tls/tls.crt"],
    )
    tls_key: Path | None = Field(
        None,
        description="PEM file with the private key, not encrypted, of `tls_certificate`.",
        examples=["/etc/image-gateway/tls/tls.key"],
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None and self.secret_key_file is None):
            msg = "access_key and secret_key (or secret_key_file): give both or neither"
            raise ValueError(msg)
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "tls_certificate and tls_key: give both or neither"
            raise ValueError(msg)
        return self

    @property
    def lets_someone_in(self) -> bool:
        """Whether the user that these settings declare has a credential."""
        return self.password is not None or self.password_file is not None or self.access_key is not None
