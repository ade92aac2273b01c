"""One request as it will be sent, complete but for the credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from yarl import URL


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request without credentials: what a signature is made of, and what the transport sends.

    `url` is absolute, percent-encoded, and has neither query nor fragment; `query` holds names and values as they are meant,
    not encoded. `headers` name the content type of a `body` that is not empty.
    """

    method: str
    url: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def target(self) -> URL:
        """The URL with its query, percent-encoded (RFC 3986: a space is `%20`)."""
        encoded = urlencode(self.query, quote_via=quote, safe="~")
        return URL(f"{self.url}?{encoded}" if encoded else self.url, encoded=True)

    @property
    def path(self) -> str:
        """The path as it is sent: percent-encoded, at least `/`."""
        return self.target.raw_path or "/"

    @property
    def host(self) -> str:
        """The value of the `Host` header: the port is left out where it is the scheme's own."""
        return self.target.host_port_subcomponent or ""
