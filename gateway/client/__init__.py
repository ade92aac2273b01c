"""The client that Python users import: pictures in, typed tags or typed errors out.

async with TaggingClient("127.0.0.1:50051") as client:
    tagged = await client.tag(ImageContent(Path("cat.jpg").read_bytes()), TaggingParameters(language=Language.EN))
"""

from gateway.client.session import MAX_CONTENT_BYTES, Load, TaggedItem
from gateway.client.tagging import TaggingClient
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageUri, Language, TaggedImage, TaggingParameters

__all__ = [
    "MAX_CONTENT_BYTES",
    "GatewayError",
    "ImageContent",
    "ImageUri",
    "Language",
    "Load",
    "Reason",
    "TaggedImage",
    "TaggedItem",
    "TaggingClient",
    "TaggingParameters",
]
