"""The clients that Python users import: pictures in, typed answers or typed errors out.

async with TaggingClient("127.0.0.1:50051") as client:
    tagged = await client.tag(ImageContent(Path("cat.jpg").read_bytes()), TaggingParameters(language=Language.EN))

async with PreprocessClient("127.0.0.1:50051") as client:
    prepared = await client.prepare(ImageContent(Path("cat.jpg").read_bytes()), PrepareOptions(max_side=1024))
    Path("smaller.jpg").write_bytes(prepared.image.data)

async with EnhancementClient("127.0.0.1:50051") as client:
    enhanced = await client.enhance(ImageContent(Path("night.jpg").read_bytes()), DarkEnhanceParameters(brightness=0.8))
    Path("brighter.jpg").write_bytes(enhanced.reply.image)

async with MusicClient("127.0.0.1:50051") as client:
    recognized = await client.recognise(MediaContent(Path("clip.mp4").read_bytes()))
"""

from gateway.call import CacheUse
from gateway.client.enhancement import EnhancementClient
from gateway.client.music import MusicClient
from gateway.client.preprocess import PreparedItem, PreprocessClient
from gateway.client.session import MAX_CONTENT_BYTES, Item, Load
from gateway.client.tagging import TaggedItem, TaggingClient
from gateway.errors import GatewayError, Reason
from gateway.media import (
    CacheState,
    DarkEnhanceParameters,
    DefogParameters,
    EnhancedImage,
    ImageContent,
    ImageUri,
    Language,
    MediaContent,
    MusicMatch,
    RecognizedMusic,
    TaggedImage,
    TaggingParameters,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, map_back
from gateway.usecases.preprocessing import Inspection, Preparation, PreparationPlan

__all__ = [
    "MAX_CONTENT_BYTES",
    "Alpha",
    "CacheState",
    "CacheUse",
    "Convert",
    "DarkEnhanceParameters",
    "DefogParameters",
    "EnhancedImage",
    "EnhancementClient",
    "GatewayError",
    "ImageContent",
    "ImageUri",
    "Inspection",
    "Item",
    "Language",
    "Load",
    "MediaContent",
    "MusicClient",
    "MusicMatch",
    "Operation",
    "OutputFormat",
    "Preparation",
    "PreparationPlan",
    "PrepareOptions",
    "PreparedItem",
    "PreprocessClient",
    "Reason",
    "RecognizedMusic",
    "TaggedImage",
    "TaggedItem",
    "TaggingClient",
    "TaggingParameters",
    "UpscaleModel",
    "UpscaleParameters",
    "map_back",
]
