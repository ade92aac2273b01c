"""Keys that tokens are signed with (RFC 7517), and which of them may have signed which token."""

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import jwt

from gateway.access.identity import RefusedError

KIND: Final = "jwt"

_BY_KIND: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        "EC P-256": frozenset({"ES256"}),
        "EC P-384": frozenset({"ES384"}),
        "EC P-521": frozenset({"ES512"}),
        "OKP Ed25519": frozenset({"EdDSA"}),
        "oct": frozenset({"HS256", "HS384", "HS512"}),
    }
)
"""What a key of a kind can be used with. Decided by the key, never by the token: else a public key would do as the secret of
HS256 (RFC 8725, section 3.1)."""

_MAX_KEYS: Final = 200
_LEAST_RSA_BITS: Final = 2048


class JwkSet:
    """A set of keys, ready to check signatures with."""

    def __init__(self, keys: Iterable[tuple[str, str, jwt.PyJWK]]) -> None:
        """`keys`: of each its id (empty if it has none), one algorithm that it can be used with, and itself."""
        self._keys = tuple(keys)
        self._ids = frozenset(key_id for key_id, _, _ in self._keys)

    def has(self, key_id: str) -> bool:
        """Whether a key is called that."""
        return key_id in self._ids

    def find(self, key_id: str, algorithm: str) -> jwt.PyJWK:
        """The key for a token with this header. Raises `RefusedError` unless there is exactly one."""
        found = [key for own_id, own, key in self._keys if own == algorithm and key_id in ("", own_id)]
        if len(found) == 1:
            return found[0]
        if not found and key_id and self.has(key_id):
            raise RefusedError(KIND, "algorithm", "the token is signed by an algorithm that its key is not for")
        if not found:
            raise RefusedError(KIND, "unknown_key", "the token is signed with a key or algorithm that is not trusted here")
        raise RefusedError(KIND, "unknown_key", "the token does not say by `kid` with which of several keys it is signed")


def read_jwk_set(content: bytes, algorithms: Iterable[str]) -> JwkSet:
    """The keys in `content` that can be used with `algorithms`. Raises `ValueError` if it is no key set or has no such key."""
    try:
        document = json.loads(content)
        entries = document["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        msg = "is no JWK set: a JSON object with `keys`"
        raise ValueError(msg) from None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        msg = f"is no JWK set that can be used: `keys` must be a list of at most {_MAX_KEYS} keys"
        raise ValueError(msg)
    allowed = frozenset(algorithms)
    keys = [made for entry in entries if isinstance(entry, dict) for made in _usable(entry, allowed)]
    if not keys:
        msg = "has no key that can be used with access.jwt_algorithms"
        raise ValueError(msg)
    return JwkSet(keys)


def _usable(entry: dict[str, Any], allowed: frozenset[str]) -> Iterable[tuple[str, str, jwt.PyJWK]]:
    """A key once for each algorithm. What cannot be used is left out, as RFC 7517 (section 5) asks."""
    uses = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return
    key_id, kind, curve = entry.get("kid", ""), entry.get("kty"), entry.get("crv")
    if not (isinstance(key_id, str) and isinstance(kind, str)):
        return
    possible = _BY_KIND.get(f"{kind} {curve}" if kind in {"EC", "OKP"} else kind, frozenset()) & allowed
    if "alg" in entry:
        possible &= {entry["alg"]} if isinstance(entry["alg"], str) else frozenset()
    for algorithm in sorted(possible):
        try:
            key = jwt.PyJWK(entry, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            return
        if kind == "RSA" and key.key.key_size < _LEAST_RSA_BITS:
            return
        yield key_id, algorithm, key
