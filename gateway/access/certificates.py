"""Callers known by the certificates of their TLS connections (mutual TLS)."""

from collections.abc import Callable
from typing import Final

from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.tenants import Roster


class CertificateAuthenticator:
    """Takes names of certificates that the tenants file lists. That they are genuine, TLS has seen to."""

    kind: Final = "certificate"
    wanted: Final = "a client certificate that belongs to a tenant"

    def __init__(self, roster: Callable[[], Roster]) -> None:
        """`roster` gives the one in force."""
        self._roster = roster

    async def identify(self, shown: Shown) -> Identity | None:
        """See `Authenticator`. A certificate that is nobody's is none: a key may say who calls."""
        known = self._roster().certificates
        names = tuple(name for name in shown.names if name in known)
        tenants = {known[name] for name in names}
        if len(tenants) > 1:
            raise RefusedError(self.kind, "ambiguous", "the client certificate has names of several tenants")
        for tenant in tenants:
            return Identity(tenant, self.kind, certificates=names)
        return None
