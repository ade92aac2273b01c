"""The clients that Python users import: pictures in, typed answers or typed errors out.

async with TaggingClient("127.0.0.1:50051") as client:
    tagged = await client.tag(ImageContent(Path("cat.jpg").read_bytes()), TaggingParameters(language=Language.EN))

async with PreprocessClient("127.0.0.1:50051") as client:
    prepared = await client.prepare(ImageContent(Path("cat.jpg").read_bytes()), PrepareOptions(max_side=1024))
    Path("smaller.jpg").write_bytes(prepared.image.data)
"""

from gateway.client.preprocess import PreparedItem, PreprocessClient
from gateway.client.session import MAX_CONTENT_BYTES, Item, Load
from gateway.client.tagging import TaggedItem, TaggingClient
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageUri, Language, TaggedImage, TaggingParameters
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, map_back
from gateway.usecases.preprocessing import Inspection, Preparation, PreparationPlan

__all__ = [
    "MAX_CONTENT_BYTES",
    "Alpha",
    "Convert",
    "GatewayError",
    "ImageContent",
    "ImageUri",
    "Inspection",
    "Item",
    "Language",
    "Load",
    "Operation",
    "OutputFormat",
    "Preparation",
    "PreparationPlan",
    "PrepareOptions",
    "PreparedItem",
    "PreprocessClient",
    "Reason",
    "TaggedImage",
    "TaggedItem",
    "TaggingClient",
    "TaggingParameters",
    "map_back",
]
