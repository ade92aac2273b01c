"""The clients that Python users import: pictures in, typed answers or typed errors out.

`GatewayClient` and, for asyncio, `AsyncGatewayClient` do everything over one connection:

with GatewayClient("127.0.0.1:50051") as client:
    tagged = client.tag("cat.jpg", TaggingParameters(language=Language.EN))
    for item in client.tag_stream(Path("photos").glob("*.jpg")):
        print(item.item_id, item.outcome)

async with AsyncGatewayClient("127.0.0.1:50051") as client:
    prepared = await client.prepare("cat.jpg", PrepareOptions(max_side=1024))
    Path("smaller.jpg").write_bytes(prepared.image.data)
    enhanced = await client.enhance("night.jpg", DarkEnhanceParameters(brightness=0.8))
    Path("brighter.jpg").write_bytes(enhanced.reply.image)
    recognized = await client.recognise("clip.mp4")

`TaggingClient`, `PreprocessClient`, `EnhancementClient` and `MusicClient` are the single services, for asyncio:

async with TaggingClient("127.0.0.1:50051") as client:
    tagged = await client.tag(ImageContent(Path("cat.jpg").read_bytes()), TaggingParameters(language=Language.EN))
"""

from gateway.call import CacheUse
from gateway.client.aio import AsyncGatewayClient
from gateway.client.channel import Connection
from gateway.client.enhancement import EnhancementClient
from gateway.client.flow import StreamFlow
from gateway.client.info import GatewayInfo, InfoClient
from gateway.client.music import MusicClient
from gateway.client.preprocess import PreparedItem, PreprocessClient
from gateway.client.session import MAX_CONTENT_BYTES, Item, Load
from gateway.client.sources import Picture, Pictures, Recording
from gateway.client.sync import GatewayClient
from gateway.client.tagging import TaggedItem, TaggingClient
from gateway.client.tls import Tls
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
    TaggingVersion,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, map_back
from gateway.usecases.preprocessing import Inspection, Preparation, PreparationPlan

__all__ = [
    "MAX_CONTENT_BYTES",
    "Alpha",
    "AsyncGatewayClient",
    "CacheState",
    "CacheUse",
    "Connection",
    "Convert",
    "DarkEnhanceParameters",
    "DefogParameters",
    "EnhancedImage",
    "EnhancementClient",
    "GatewayClient",
    "GatewayError",
    "GatewayInfo",
    "ImageContent",
    "ImageUri",
    "InfoClient",
    "Inspection",
    "Item",
    "Language",
    "Load",
    "MediaContent",
    "MusicClient",
    "MusicMatch",
    "Operation",
    "OutputFormat",
    "Picture",
    "Pictures",
    "Preparation",
    "PreparationPlan",
    "PrepareOptions",
    "PreparedItem",
    "PreprocessClient",
    "Reason",
    "RecognizedMusic",
    "Recording",
    "StreamFlow",
    "TaggedImage",
    "TaggedItem",
    "TaggingClient",
    "TaggingParameters",
    "TaggingVersion",
    "Tls",
    "UpscaleModel",
    "UpscaleParameters",
    "map_back",
]
