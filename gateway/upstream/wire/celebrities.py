"""Celebrities (the vendor's SDK, `CelebrityRecognitionResultBody`)."""

from typing import Any

from gateway.media import Box
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Celebrity
from gateway.upstream.wire.values import number, reading, result_of, share, text


def read_celebrities(reply: HttpReply) -> tuple[Celebrity, ...]:
    """Read a success reply, in its order. Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`."""
    with reading("celebrity recognition"):
        return tuple(
            Celebrity(text(found["label"]), _face(found["face_detail"]), share(found["confidence"]))
            for found in result_of(reply.body)
        )


def _face(detail: dict[str, Any]) -> Box:
    """`x` is the distance to the left edge."""
    return Box(left=number(detail["x"]), top=number(detail["y"]), width=number(detail["w"]), height=number(detail["h"]))
