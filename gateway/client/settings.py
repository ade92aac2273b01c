"""Settings of the commands that ask a running gateway."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from gateway.settings import Settings


class ClientSettings(Settings):
    """How the commands with `--target`, and `health`, reach a gateway. Programs give the same to the Python client."""

    tls: bool = Field(
        default=False,
        description="Whether to speak TLS; implied by each of the files below.",
        json_schema_extra={"reason": "a gateway on this machine has none"},
    )
    ca_file: Path | None = Field(
        None,
        description="PEM file of the authorities that the gateway's certificate must be of, instead of those known to gRPC.",
        examples=["/etc/image-gateway/authority.pem"],
        json_schema_extra={"reason": "public authorities are known"},
    )
    tls_certificate: Path | None = Field(
        None,
        description="PEM file with this client's certificate, for mutual TLS.",
        examples=["/etc/image-gateway/client.pem"],
        json_schema_extra={"reason": "few gateways ask for one"},
    )
    tls_key: Path | None = Field(
        None,
        description="PEM file with the private key, not encrypted, of `tls_certificate`.",
        examples=["/run/secrets/client-key.pem"],
        json_schema_extra={"reason": "belongs to tls_certificate"},
    )
    tls_server_name: str | None = Field(
        None,
        min_length=1,
        description="What the gateway's certificate must be for, if that is not the target's host.",
        examples=["gateway.example.org"],
        json_schema_extra={"reason": "the target says it"},
    )
    api_key: SecretStr | None = Field(
        None,
        min_length=1,
        description="API key that is sent.",
        examples=["igk_…"],
        json_schema_extra={"reason": "a gateway on this machine asks for none"},
    )
    api_key_file: Path | None = Field(
        None,
        description="File that holds it, instead.",
        examples=["/run/secrets/api-key"],
        json_schema_extra={"reason": "as api_key"},
    )
    token_file: Path | None = Field(
        None,
        description="File that holds a token (JWT) that is sent.",
        examples=["/run/secrets/token"],
        json_schema_extra={"reason": "as api_key"},
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "tls_certificate and tls_key: give both or neither"
            raise ValueError(msg)
        if sum(given is not None for given in (self.api_key, self.api_key_file, self.token_file)) > 1:
            msg = "api_key, api_key_file and token_file: give one of them"
            raise ValueError(msg)
        return self
