"""API keys as text: `igk_ID_SECRET`, of which only the hash of the secret is kept.

The secret is 256 random bits, so there is nothing to guess and nothing for a slow, salted hash to make harder: a single SHA-256
cannot be inverted, and costs a call microseconds instead of tens of milliseconds. Passwords, which people choose, are another
matter (scrypt, as in the REST face).
"""

import hashlib
import re
import secrets
from typing import Final, NamedTuple

PREFIX: Final = "igk_"
"""By which a key is told from other tokens, and found by scanners where it should not be."""

_KEY: Final = re.compile(rf"{PREFIX}(?P<id>[0-9a-f]{{16}})_(?P<secret>[A-Za-z0-9_-]{{43}})")

ID_FORM: Final = r"^[0-9a-f]{16}$"
HASH_FORM: Final = r"^sha256:[0-9a-f]{64}$"


class ApiKey(NamedTuple):
    """The parts of a key: what it is looked up by, which is no secret, and what proves it."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({self.id})"

    @property
    def text(self) -> str:
        """As callers send it."""
        return f"{PREFIX}{self.id}_{self.secret}"

    @property
    def hash(self) -> str:
        """As the tenants file holds it."""
        return "sha256:" + hashlib.sha256(self.secret.encode()).hexdigest()


def new_key() -> ApiKey:
    """A key that nobody has had."""
    return ApiKey(secrets.token_hex(8), secrets.token_urlsafe(32))


def read_key(text: str) -> ApiKey | None:
    """The parts of `text`; None if it is no key."""
    match = _KEY.fullmatch(text)
    return ApiKey(match["id"], match["secret"]) if match else None
