"""Callers known by API keys."""

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.key_text import PREFIX, read_key
from gateway.access.tenants import KeyRecord, Roster

KIND: Final = "api_key"

_DECOY: Final = KeyRecord("", "sha256:" + secrets.token_hex(32))
"""What a key is compared with that nobody has: an id is not to be told from a wrong secret by how long the answer takes."""


class ApiKeyAuthenticator:
    """Takes keys of the tenants file, as `x-api-key` or as a bearer token."""

    kind: Final = KIND
    wanted: Final = "an API key (`x-api-key: igk_…`, or `authorization: Bearer igk_…`)"

    def __init__(self, roster: Callable[[], Roster], clock: Callable[[], float]) -> None:
        """`roster` gives the one in force; `clock` returns seconds since the epoch."""
        self._roster = roster
        self._clock = clock

    async def identify(self, shown: Shown) -> Identity | None:
        """See `Authenticator`."""
        text = shown.api_key or (shown.bearer if shown.bearer.startswith(PREFIX) else "")
        if not text:
            return None
        key = read_key(text)
        if key is None:
            raise RefusedError(self.kind, "malformed", "what came as an API key is none: it is cut short, or altered")
        record = self._roster().keys.get(key.id, _DECOY)
        if not hmac.compare_digest(key.hash, record.hash) or record is _DECOY:
            raise RefusedError(self.kind, "unknown", "the API key is not known here, or not any more")
        check_times(record, self._clock())
        return Identity(record.tenant, self.kind, key.id)


def check_times(record: KeyRecord, now: float) -> None:
    """Raise `RefusedError` for a key that is not in force `now`, in seconds since the epoch."""
    if record.not_before is not None and now < record.not_before.timestamp():
        raise RefusedError(KIND, "not_yet", f"the API key is in force from {record.not_before.isoformat()} on")
    if record.expires is not None and now >= record.expires.timestamp():
        raise RefusedError(KIND, "expired", f"the API key has expired at {record.expires.isoformat()}")
