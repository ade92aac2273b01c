"""A reply as it came, before anybody has judged it."""

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_REQUEST_ID_CHARS: Final = 128


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply. Header names are looked up case-insensitively.

    Headers may hold a token, the body the caller's data: neither is shown in `repr`.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str:
        """The vendor's id of the request, or an empty string. What no id should hold is left out: it is shown to callers."""
        return "".join(c for c in self.headers.get("X-Request-Id", "")[:MAX_REQUEST_ID_CHARS] if c.isascii() and c.isprintable())

    @property
    def server_time(self) -> float | None:
        """The server's clock when it answered, in whole seconds since the epoch (`Date`, RFC 9110 section 6.6.1)."""
        return http_date(self.headers.get("Date", ""))


def http_date(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110, section 5.6.7), or None for anything else."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
