"""Settings of the operators' port."""

from pydantic import Field

from gateway.settings import Address, Settings


class OpsSettings(Settings):
    """Where operators look."""

    listen: Address | None = Field(
        None, description="Address of a port for operators, plain HTTP: `/metrics`. Unset: none. Not for strangers' networks."
    )
