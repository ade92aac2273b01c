"""Passwords: kept as they are, or as a scrypt hash (RFC 7914), and compared in constant time."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

_HASH: Final = re.compile(r"scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]{1,128})\$([A-Za-z0-9+/=]{1,128})")
_MAX_MEMORY: Final = 64 << 20
_MAX_WORK: Final = 1 << 23  # blocks; a second or so


@dataclass(frozen=True, slots=True)
class Password:
    """What a password is checked against: the work of scrypt, 0 for a password that is kept as it is, its salt and its result."""

    n: int
    r: int
    p: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def plain(cls, password: str) -> Self:
        """A password kept as it is."""
        return cls(0, 0, 0, b"", _bytes(password))

    @classmethod
    def hashed(cls, text: str) -> Self:
        """A password of which only the hash is known: `scrypt$N$r$p$SALT$HASH`, both base64.

        Raises `ValueError` saying what is allowed, never what was given.
        """
        match = _HASH.fullmatch(text)
        if match is None:
            msg = "must be scrypt$N$r$p$SALT$HASH, with salt and hash in base64"
            raise ValueError(msg)
        n, r, p = (int(match[number]) for number in (1, 2, 3))
        if n < 2 or n & (n - 1) or not r or not p or 128 * n * r > _MAX_MEMORY or n * r * p > _MAX_WORK:
            msg = f"must have N a power of two above 1, r and p above 0, 128·N·r up to {_MAX_MEMORY} and N·r·p up to {_MAX_WORK}"
            raise ValueError(msg)
        try:
            salt, digest = (base64.b64decode(match[number], validate=True) for number in (4, 5))
        except binascii.Error:
            msg = "must have salt and hash in base64"
            raise ValueError(msg) from None
        if len(salt) < 8 or len(digest) < 16:
            msg = "must have a salt of 8 bytes or more and a hash of 16 or more"
            raise ValueError(msg)
        return cls(n, r, p, salt, digest)

    @property
    def is_hashed(self) -> bool:
        """Whether checking it takes the work of a hash, tens of milliseconds."""
        return self.n > 0

    def matches(self, given: str) -> bool:
        """Whether `given` is the password. Takes as long for a wrong one."""
        if not self.is_hashed:
            return hmac.compare_digest(_bytes(given), self.digest)
        # The library's own overhead comes on top of the 128·N·r.
        limit = 2 * _MAX_MEMORY
        result = hashlib.scrypt(_bytes(given), salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=limit, dklen=len(self.digest))
        return hmac.compare_digest(result, self.digest)

    def decoy(self) -> Self:
        """A password that takes the same work and that nothing matches."""
        return type(self)(self.n, self.r, self.p, secrets.token_bytes(16), secrets.token_bytes(max(len(self.digest), 32)))


def _bytes(text: str) -> bytes:
    """UTF-8, of lone surrogates too: JSON can spell them."""
    return text.encode(errors="surrogatepass")
