"""Names of music (API reference, section 4.5)."""

from gateway.upstream.reply import HttpReply
from gateway.upstream.wire.values import reading, result_of, text


def read_music(reply: HttpReply) -> str | None:
    """The name of the piece, all that the service tells, or None if it gives none.

    Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`.
    """
    with reading("music recognition"):
        return text((result_of(reply.body) or {}).get("audio_name") or "") or None
