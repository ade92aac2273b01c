"""What may be said of credentials: the closed list of what authentications are counted by."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ACCEPTED: Final = "ok"

REFUSALS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "": ("malformed", "missing", "unknown", "unsupported"),
        "api_key": ("expired", "malformed", "not_yet", "unknown", "withdrawn"),
        "jwt": (
            "algorithm",
            "audience",
            "claims",
            "expired",
            "issuer",
            "malformed",
            "no_keys",
            "not_yet",
            "signature",
            "tenant",
            "unknown_key",
            "withdrawn",
        ),
        "certificate": ("ambiguous", "withdrawn"),
    }
)
"""Authenticator, empty for none of them → why it refuses."""
