"""What the messages of all services have in common ↔ the values that Python users see."""

from types import MappingProxyType
from typing import Any, Final, TypedDict

from gateway.call import CacheUse
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import cache_pb2, image_pb2, processing_pb2
from gateway.media import CacheState, ImageFacts, ImageSource, ImageUri, MediaSource

_CACHE_STATES: Final = {
    cache_pb2.CACHE_STATE_MISS: CacheState.MISS,
    cache_pb2.CACHE_STATE_HIT: CacheState.HIT,
    cache_pb2.CACHE_STATE_SHARED: CacheState.SHARED,
}

CACHE_CONTROLS: Final = MappingProxyType(
    {
        CacheUse.USE: cache_pb2.CACHE_CONTROL_USE,
        CacheUse.REFRESH: cache_pb2.CACHE_CONTROL_REFRESH,
        CacheUse.BYPASS: cache_pb2.CACHE_CONTROL_BYPASS,
    }
)


class ReplyOrigin(TypedDict):
    """The arguments that all of `ProviderReply` have in common."""

    provider: str
    attempts: int
    cache: CacheState
    request_ids: tuple[str, ...]
    queue_time: float
    work_time: float
    decode_time: float


def write_source(source: ImageSource | MediaSource) -> dict[str, Any]:
    """The fields of the contract's `oneof source`, for a message's constructor."""
    return {"uri": source.uri} if isinstance(source, ImageUri) else {"content": source.data}


def read_facts(image: image_pb2.ImageInfo) -> ImageFacts:
    """What a picture's header says."""
    return ImageFacts(
        format=image.format,
        width=image.width,
        height=image.height,
        orientation=image.orientation,
        size_bytes=image.size_bytes,
    )


def read_origin(processing: processing_pb2.Processing) -> ReplyOrigin:
    """How a provider came by its answer."""
    return ReplyOrigin(
        provider=processing.provider,
        attempts=processing.attempts,
        cache=_CACHE_STATES.get(processing.cache, CacheState.NONE),
        request_ids=tuple(processing.upstream_request_ids),
        queue_time=processing.queue_time.ToTimedelta().total_seconds(),
        work_time=processing.provider_time.ToTimedelta().total_seconds(),
        decode_time=processing.decode_time.ToTimedelta().total_seconds(),
    )


def not_the_contract() -> GatewayError:
    """The error for an answer that this client cannot make sense of."""
    return GatewayError(Reason.INTERNAL, "the gateway's answer is not one of the contract's")
