"""HTTP to the cloud: one pooled session, and the one place where aiohttp's exceptions become ours."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from gateway.errors import GatewayError, Reason

MAX_REPLY_BYTES: Final = 32 << 20
"""No reply of the contract is near this; more is a fault, and is not buffered."""

MAX_REQUEST_ID_CHARS: Final = 128

MAX_HEADER_BYTES: Final = 64 << 10
"""Tokens come in a header and are of several kilobytes; aiohttp's own limit is 8."""

MAX_BODY_BYTES: Final = 12_000_000
"""Authenticated requests must stay under 12 MB (API reference, section 3.3)."""

_KEEPALIVE_SECONDS: Final = 15.0
"""Shorter than the servers' own (60 s and more), so that the pool rarely hands out a connection that is being closed."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply. Header names are looked up case-insensitively."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """The vendor's id of the request, or an empty string. What no id should hold is left out: it is shown to callers."""
        return "".join(c for c in self.headers.get("X-Request-Id", "")[:MAX_REQUEST_ID_CHARS] if c.isascii() and c.isprintable())


class Transport:
    """A pool of connections to the cloud's endpoints.

    Create and use it inside one event loop; `aclose()` it at the end. Redirects are not followed: the
    contract has none, so one is an answer like any other and is classified as a fault.
    """

    def __init__(self, *, connect_timeout: float, timeout: float, pool_size: int) -> None:
        # The pool is larger than the number of concurrent calls, so that a token call never waits for a picture.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=pool_size + 2, keepalive_timeout=_KEEPALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> HttpReply:
        """POST a JSON body and return the whole reply, whatever its status.

        Raises `GatewayError`: `IMAGE_TOO_LARGE` before anything is sent if the body is 12 MB or more,
        `UPSTREAM_UNAVAILABLE` if there was no connection or it broke, `UPSTREAM_TIMEOUT`, `UPSTREAM_BAD_RESPONSE` for a
        reply that is not HTTP or is oversized.
        """
        if len(body) >= MAX_BODY_BYTES:
            raise GatewayError(
                Reason.IMAGE_TOO_LARGE,
                f"the request body is {len(body)} bytes; the cloud takes less than {MAX_BODY_BYTES}",
                measured=f"{len(body)} bytes",
                allowed=f"under {MAX_BODY_BYTES} bytes",
            )
        # Sent piece by piece: other calls have their turn between.
        return await self._exchange("POST", url, {"Content-Type": "application/json", **headers}, io.BytesIO(body))

    async def reach(self, url: str) -> None:
        """Have the server at `url` answer anything at all. Raises `GatewayError` as `post` does if it does not."""
        try:
            # On a connection of its own: some servers send a body that nobody may send, which would spoil the next reply.
            await self._exchange("HEAD", url, {"Connection": "close"}, None)
        except GatewayError as error:
            if error.reason is not Reason.UPSTREAM_BAD_RESPONSE:
                raise

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: io.BytesIO | None) -> HttpReply:
        try:
            async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
                return HttpReply(response.status, response.headers, await _read_bounded(response))
        except TimeoutError as error:  # aiohttp's timeouts all derive from it
            raise _translate(error) from error
        except aiohttp.ClientError as error:
            raise _translate(error) from error


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise GatewayError(Reason.UPSTREAM_BAD_RESPONSE, f"the cloud's reply is over {MAX_REPLY_BYTES} bytes")
    return bytes(content)


# Most specific first. Messages name neither URL nor header: both may hold what callers must not see.
_TRANSLATIONS: Final[tuple[tuple[type[BaseException], Reason, str], ...]] = (
    (aiohttp.ConnectionTimeoutError, Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made in time"),
    (TimeoutError, Reason.UPSTREAM_TIMEOUT, "the cloud did not answer in time"),
    (
        aiohttp.ClientConnectorCertificateError,
        Reason.UPSTREAM_UNAVAILABLE,
        "the cloud's TLS certificate is not valid for its name",
    ),
    (aiohttp.ClientConnectorSSLError, Reason.UPSTREAM_UNAVAILABLE, "no TLS connection to the cloud could be made"),
    (aiohttp.ClientConnectorError, Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made"),
    (
        aiohttp.ServerDisconnectedError,
        Reason.UPSTREAM_UNAVAILABLE,
        "the cloud closed the connection before it answered",
    ),
    (aiohttp.ClientPayloadError, Reason.UPSTREAM_UNAVAILABLE, "the connection broke while the cloud answered"),
    (aiohttp.ClientOSError, Reason.UPSTREAM_UNAVAILABLE, "the connection to the cloud broke"),
    (aiohttp.ClientResponseError, Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply is not valid HTTP"),
    (aiohttp.InvalidURL, Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL"),
    (aiohttp.ClientError, Reason.UPSTREAM_UNAVAILABLE, "the call to the cloud failed"),
)


def _translate(error: BaseException) -> GatewayError:
    for kind, reason, message in _TRANSLATIONS:
        if isinstance(error, kind):
            return GatewayError(reason, message)
    raise error
