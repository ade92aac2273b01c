"""A token as stores keep it: JSON, always spelled the same."""

import json
import math
from typing import Final

from gateway.upstream.credentials.project import is_project_id
from gateway.upstream.credentials.token import Token

MAX_BYTES: Final = 128 << 10
"""Longest document that is read: headers, and so tokens, are of 64 KB at most."""


def write_token(token: Token) -> bytes:
    """The document that `read_token` reads; the same bytes for the same token."""
    return json.dumps([token.value, token.project_id, float(token.issued_at), float(token.expires_at)]).encode()


def read_token(document: bytes) -> Token | None:
    """The token in a document; None if it is anything else, a token that no header can carry included."""
    try:
        value, project_id, issued_at, expires_at = json.loads(document)
        issued_at, expires_at = float(issued_at), float(expires_at)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    sendable = isinstance(value, str) and value != "" and value.isascii() and value.isprintable()
    if not (sendable and is_project_id(project_id) and math.isfinite(issued_at) and math.isfinite(expires_at)):
        return None
    return Token(value=value, project_id=project_id, issued_at=issued_at, expires_at=expires_at)
