"""Claims that travel with the caller: text that only this process, or those that share its key, can have written."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any, Final

from gateway.rest.settings import RestConfigError, RestSettings

_LEAST_KEY_BYTES: Final = 32
_MAC_LENGTH: Final = 64


class Seal:
    """Makes and reads sealed claims. They are not encrypted."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, kind: str, claims: dict[str, Any], least_length: int = 0) -> str:
        """Write `claims`, filled up to `least_length` characters. What is sealed as one kind does not open as another."""
        bare = json.dumps(claims | {"fill": ""})
        missing = max(0, (least_length - _MAC_LENGTH - 1) * 3 // 4 + 1 - len(bare))
        filled = json.dumps(claims | {"fill": secrets.token_urlsafe(missing)[:missing]})
        payload = base64.urlsafe_b64encode(filled.encode()).decode()
        return f"{payload}.{self._mac(kind, payload)}"

    def open(self, kind: str, text: str) -> dict[str, Any] | None:
        """Return what was sealed, or None if `text` is anything else."""
        payload, _, mac = text.partition(".")
        if not hmac.compare_digest(mac.encode(errors="surrogatepass"), self._mac(kind, payload).encode()):
            return None
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload))
        del claims["fill"]
        return claims

    def secret(self, kind: str, name: str) -> str:
        """A secret that belongs to `name`, and that only holders of the key can tell: 40 characters."""
        digest = hmac.new(self._key, _message(kind, name), hashlib.sha256).digest()
        return base64.b64encode(digest[:30], altchars=b"AZ").decode()

    def _mac(self, kind: str, payload: str) -> str:
        return hmac.new(self._key, _message(kind, payload), hashlib.sha256).hexdigest()


def open_seal(settings: RestSettings) -> Seal:
    """The seal with the settings' key, or a random one. Raises `RestConfigError`."""
    file = settings.token_key_file
    if file is None:
        return Seal(secrets.token_bytes(_LEAST_KEY_BYTES))
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise RestConfigError([f"token_key_file {file} cannot be read: {error.strerror}"]) from None
    if len(key) < _LEAST_KEY_BYTES:
        raise RestConfigError([f"token_key_file {file} holds {len(key)} bytes; at least {_LEAST_KEY_BYTES} are needed"])
    return Seal(key)


def _message(kind: str, text: str) -> bytes:
    # Header bytes that are no UTF-8 arrive as lone surrogates.
    return f"{kind}\n{text}".encode(errors="surrogatepass")
