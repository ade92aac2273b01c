"""What a client shows of itself with every call."""

from collections.abc import Callable
from typing import Final

from gateway.client.labelled import Metadata

TENANT_KEY: Final = "x-tenant-id"
"""The metadata under which a gateway looks for whom a call is."""

Token = str | Callable[[], str]
"""A bearer token, or what gives the one that is in force: asked for every call, in the event loop, so it must not wait."""


def call_metadata(tenant: str, api_key: str, token: Token | None) -> Callable[[], Metadata]:
    """What gives the metadata of a call. Raises `ValueError` for both an API key and a token."""
    if api_key and token is not None:
        msg = "api_key and token: give one of them"
        raise ValueError(msg)
    fixed: Metadata = ((TENANT_KEY, tenant),) if tenant else ()
    if api_key:
        fixed = (*fixed, ("x-api-key", api_key))
    if token is None:
        return lambda: fixed
    if isinstance(token, str):
        fixed = (*fixed, _bearer(token))
        return lambda: fixed
    return lambda: (*fixed, _bearer(token()))


def _bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"
