"""Pictures that enhancement returns (API reference, sections 4.2 to 4.4)."""

import base64

from gateway import _native
from gateway.media import ImageFacts
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Picture
from gateway.upstream.wire.values import reading, result_of, text


def read_picture(reply: HttpReply) -> Picture:
    """Read a success reply: base64 in JSON, or, if a form was sent, the file itself.

    Takes milliseconds for a picture of megabytes. Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`, also for a file that is
    no JPEG, PNG, BMP or WEBP.
    """
    with reading("enhancement"):
        data = reply.body
        if data.lstrip()[:1] == b"{":
            data = base64.b64decode(text(result_of(data)).encode("ascii"), validate=True)
        info = _native.probe(data)  # its error is a ValueError
    facts = ImageFacts(
        format=info.format, width=info.width, height=info.height, orientation=info.orientation, size_bytes=len(data)
    )
    return Picture(data, facts)
