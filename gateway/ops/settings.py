"""Settings of the operators' port."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from gateway.settings import Address, Settings, split_address


def _with_host(address: object) -> object:
    return f"127.0.0.1:{address}" if isinstance(address, int) or (isinstance(address, str) and address.isdigit()) else address


class OpsSettings(Settings):
    """Where operators look."""

    listen: Annotated[Address, BeforeValidator(_with_host)] | None = Field(
        None,
        description="Address of a port for operators, plain HTTP: `/metrics`, `/healthz`, `/readyz`, `/config`, `/log-level` "
        "(docs/observability.md). A port alone is of this machine's loopback. Unset: none.",
        examples=["127.0.0.1:9090"],
    )
    rest_listen: Annotated[Address, BeforeValidator(_with_host)] | None = Field(
        None,
        description="The same of the REST face (`image-gateway rest`), which is a process of its own. Unset: none.",
        examples=["127.0.0.1:9101"],
    )
    token_file: Path | None = Field(
        None,
        description="File of a token that `/config` and `/log-level` then want as `Authorization: Bearer …`. Read each time.",
        examples=["/run/secrets/ops-token"],
    )
    allow_all: bool = Field(
        False,
        description="Whether everybody who reaches an `ops.listen` or `ops.rest_listen` that is not loopback gets `/config` and "
        "`/log-level`. "
        "Without, and without a token, they are refused.",
        json_schema_extra={"reason": "settings and the level of the log are the operator's"},
    )

    def of_rest_face(self) -> Self:
        """Those of the REST face's port."""
        return self.model_copy(update={"listen": self.rest_listen})

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the port."""
        host = "" if self.listen is None else split_address(self.listen)[0]
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"
