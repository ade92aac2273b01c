"""Callers known by JSON Web Tokens (RFC 7519), checked as RFC 8725 advises."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import jwt

from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.jwk_set import KIND
from gateway.access.jwk_sources import KeySource
from gateway.access.key_text import PREFIX
from gateway.access.tenant_entries import MAX_TENANT_CHARS, is_tenant_name
from gateway.access.tenants import Roster

MAX_TOKEN_CHARS: Final = 16 << 10
MAX_KEY_ID_CHARS: Final = 256

_NEVER: Final = 1e18
"""In seconds since the epoch; what lies beyond may be no float."""

_REFUSALS: Final[tuple[tuple[type[jwt.PyJWTError], str, str], ...]] = (
    (jwt.ExpiredSignatureError, "expired", "the token has expired"),
    (jwt.ImmatureSignatureError, "not_yet", "the token is not in force yet (`nbf` or `iat`)"),
    (jwt.InvalidAudienceError, "audience", "the token is for another audience"),
    (jwt.InvalidIssuerError, "issuer", "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "claims", "the token lacks a claim: exp, iss and aud are required"),
    (jwt.InvalidSignatureError, "signature", "the token's signature is not valid"),
)
"""The first that fits. The library's own messages can quote the token."""


class TokenAuthenticator:
    """Takes bearer tokens of one issuer for one audience."""

    kind: Final = KIND
    wanted: Final = "a token (`authorization: Bearer …`)"

    def __init__(
        self,
        roster: Callable[[], Roster],
        source: KeySource,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        tenant_claim: str,
        leeway: float,
    ) -> None:
        """`roster` gives the one in force. `tenant_claim`: what tells the tenant, by its name or one of its `subjects`. `leeway`:
        seconds by which clocks may differ."""
        self._roster = roster
        self._source = source
        self._issuer = issuer
        self._audience = audience
        self._algorithms = tuple(algorithms)
        self._tenant_claim = tenant_claim
        self._leeway = leeway

    async def identify(self, shown: Shown) -> Identity | None:
        """See `Authenticator`."""
        if not shown.bearer or shown.bearer.startswith(PREFIX):  # an API key may come so, too
            return None
        key_id, algorithm = self._header(shown.bearer)
        keys = await self._source.keys(key_id)
        if keys is None:
            raise RefusedError(KIND, "no_keys", "tokens cannot be checked now: the keys of their issuer are not to be had")
        claims = self._claims(shown.bearer, keys.find(key_id, algorithm), algorithm)
        subject = self._subject(claims)
        until = min(int(claims["exp"]), _NEVER) + self._leeway
        return Identity(self._roster().tenant_of(subject), KIND, subject=subject, until=until)

    async def reload(self) -> None:
        """Renew the keys."""
        await self._source.reload()

    async def aclose(self) -> None:
        """Keep the keys up to date no more."""
        await self._source.aclose()

    def _header(self, token: str) -> tuple[str, str]:
        """The `kid`, empty if there is none, and `alg` of a token whose signature has not been checked yet."""
        if len(token) > MAX_TOKEN_CHARS:
            raise _malformed()
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _malformed() from None
        key_id, algorithm = header.get("kid", ""), header.get("alg")
        # An extension that must be understood is not (RFC 7515, section 4.1.11). Keys that a token brings or points to (jwk, jku,
        # x5c, x5u) are never looked at.
        if not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_CHARS or "crit" in header:
            raise _malformed()
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise RefusedError(KIND, "algorithm", "the token is signed by an algorithm that is not taken here, or not at all")
        return key_id, algorithm

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],  # one that the settings allow and the key is for; the token has only chosen among those
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            for kind, why, message in _REFUSALS:
                if isinstance(error, kind):
                    raise RefusedError(KIND, why, message) from None
            raise _malformed() from None
        except (ValueError, TypeError, RecursionError, OverflowError):  # what the library lets through of odd claims
            raise _malformed() from None

    def _subject(self, claims: dict[str, Any]) -> str:
        name = claims.get(self._tenant_claim)
        if isinstance(name, str) and (name in self._roster().subjects or is_tenant_name(name)):
            return name
        message = (
            f"the token's claim {self._tenant_claim} names no tenant: it must be a text of 1 to {MAX_TENANT_CHARS} characters"
        )
        raise RefusedError(KIND, "tenant", message)


def _malformed() -> RefusedError:
    return RefusedError(KIND, "malformed", "what came as a bearer token is no token that can be read")
