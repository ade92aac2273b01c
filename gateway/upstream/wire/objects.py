"""Main objects (the vendor's SDK, `ImageMainObjectDetectionInstance`)."""

from gateway.upstream.reply import HttpReply
from gateway.upstream.results import MainObject, MainObjectLabel
from gateway.upstream.wire.values import box, percent, reading, result_of, text


def read_main_objects(reply: HttpReply) -> tuple[MainObject, ...]:
    """Read a success reply, in its order. Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`."""
    with reading("main object detection"):
        return tuple(
            MainObject(MainObjectLabel(text(found["label"])), box(found["location"]), percent(found["confidence"]))
            for found in result_of(reply.body)
        )
