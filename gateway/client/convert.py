"""What the messages of all services have in common ↔ the values that Python users see."""

from typing import Any

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import image_pb2
from gateway.media import ImageContent, ImageFacts, ImageSource


def write_source(source: ImageSource) -> dict[str, Any]:
    """The fields of the contract's `oneof source`, for a message's constructor."""
    return {"content": source.data} if isinstance(source, ImageContent) else {"uri": source.uri}


def read_facts(image: image_pb2.ImageInfo) -> ImageFacts:
    """What a picture's header says."""
    return ImageFacts(
        format=image.format,
        width=image.width,
        height=image.height,
        orientation=image.orientation,
        size_bytes=image.size_bytes,
    )


def not_the_contract() -> GatewayError:
    """The error for an answer that this client cannot make sense of."""
    return GatewayError(Reason.INTERNAL, "the gateway's answer is not one of the contract's")
