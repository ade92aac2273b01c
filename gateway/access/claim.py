"""In whose name a caller says that its call is."""

from collections.abc import Sequence
from typing import Final

from gateway.access.tenant_entries import MAX_TENANT_CHARS
from gateway.errors import GatewayError, Reason

TENANT_KEY: Final = "x-tenant-id"
"""Under what callers say it."""


def read_claim(sent: Sequence[str]) -> str:
    """The tenant that is claimed by what was sent, empty if none is. Raises `GatewayError` for one that is none."""
    if len(sent) > 1:  # which of them counts, those before and behind may see differently
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"the metadata {TENANT_KEY} is sent {len(sent)} times",
            field=TENANT_KEY,
            measured=f"{len(sent)} times",
            allowed="once",
        )
    tenant = next(iter(sent), "")
    if len(tenant) > MAX_TENANT_CHARS:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"the metadata {TENANT_KEY} has {len(tenant)} characters; it must have at most {MAX_TENANT_CHARS}",
            field=TENANT_KEY,
            measured=f"{len(tenant)} characters",
            allowed=f"at most {MAX_TENANT_CHARS} characters",
        )
    return tenant
