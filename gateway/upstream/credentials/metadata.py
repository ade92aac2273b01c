"""Temporary keys of the machine that this runs on, as the cloud's instance metadata service hands them out.

The service answers on a link-local address, inside the cloud only. Paths and headers are those that the vendor's SDK uses.
"""

from collections.abc import Callable
from typing import Final

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.identity import Sender, reply_to
from gateway.upstream.credentials.key_document import read_key
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply

TIMEOUT: Final = 3.0
"""Seconds for one request: it goes to the machine's own host, or nowhere."""

SESSION_SECONDS: Final = 60
"""What the session token is asked for: it is used at once, and not kept."""

_WITHOUT_SESSIONS: Final = frozenset({404, 405, 503})
"""What services say that know no session tokens."""


class MetadataKeys:
    """Asks the metadata service for keys. They last for hours, so each time a new session is opened first."""

    def __init__(self, sender: Sender, endpoint: str, clock: Callable[[], float]) -> None:
        """`endpoint` is the service's base URL, `clock` returns seconds since the epoch."""
        self._sender = sender
        self._endpoint = endpoint
        self._clock = clock

    async def fetch(self) -> AccessKey:
        """See `KeySource`."""
        session = await self._open_session()
        headers = {"X-Metadata-Token": session} if session else {}
        reply = await self._ask("GET", "/openstack/latest/securitykey", headers)
        if reply.status != 200:
            raise _refusal(reply, "has no keys for this machine; has an agency been set for it?")
        try:
            return read_key(reply.body.decode(), self._clock())
        except ValueError as error:
            raise _refusal(reply, "answered with no usable key") from error

    async def _open_session(self) -> str:
        """A session token; an empty one if the service knows none."""
        reply = await self._ask("PUT", "/meta-data/latest/api/token", {"X-Metadata-Token-Ttl-Seconds": str(SESSION_SECONDS)})
        if reply.status in _WITHOUT_SESSIONS:
            return ""
        token = reply.body.decode("latin-1").strip()
        if reply.status != 200 or not (token.isascii() and token.isprintable()):
            raise _refusal(reply, "opened no session")
        return token

    async def _ask(self, method: str, path: str, headers: dict[str, str]) -> HttpReply:
        try:
            return await reply_to(self._sender, Outgoing(method, self._endpoint + path), headers, TIMEOUT)
        except GatewayError as error:
            message = "the cloud's instance metadata service cannot be reached; does this run on a machine of the cloud?"
            raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, message) from error


def _refusal(reply: HttpReply, complaint: str) -> GatewayError:
    detail = UpstreamDetail(http_status=reply.status, request_id=reply.request_id)
    passing = reply.status == 429 or reply.status >= 500
    reason = Reason.UPSTREAM_UNAVAILABLE if passing else Reason.UPSTREAM_AUTHENTICATION_FAILED
    message = f"the cloud's instance metadata service {complaint} (HTTP {reply.status})"
    return GatewayError(reason, message, upstream=detail)
