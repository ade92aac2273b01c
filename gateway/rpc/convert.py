"""What the messages of all services have in common ↔ the gateway's own values."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Generic, Literal, Protocol, TypeVar

from google.protobuf import duration_pb2

from gateway.call import CacheUse
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import cache_pb2, image_pb2, processing_pb2
from gateway.media import CacheState, ImageContent, ImageFacts, ImageSource, ImageUri, ProviderReply

MAX_ITEM_ID_CHARS: Final = 1024

_Member = TypeVar("_Member", bound=StrEnum)


class Sourced(Protocol):
    """A message with the contract's `oneof source`."""

    @property
    def content(self) -> bytes: ...
    @property
    def uri(self) -> str: ...
    def WhichOneof(self, oneof_group: Literal["source"], /) -> Literal["content", "uri"] | None: ...  # noqa: N802  # protobuf's


class _Enum(Protocol):
    """An enum of the contract, as protobuf makes it."""

    def items(self) -> Sequence[tuple[str, int]]: ...


def read_source(request: Sourced) -> ImageSource:
    """Raises `GatewayError` if no source is set or the URL is not one."""
    source = request.WhichOneof("source")
    if source == "content":
        return ImageContent(request.content)
    if source == "uri":
        return ImageUri(request.uri)
    raise GatewayError(
        Reason.INVALID_ARGUMENT,
        "source is not set; give the file's bytes in content, or its URL in uri",
        field="source",
    )


def check_item_id(item_id: str) -> None:
    """Raise `GatewayError` for an id by which a client could not tell the item's result."""
    length = len(item_id)
    if not 1 <= length <= MAX_ITEM_ID_CHARS:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"item_id has {length} characters; it must have 1 to {MAX_ITEM_ID_CHARS}",
            field="item_id",
            measured=f"{length} characters",
            allowed=f"1 to {MAX_ITEM_ID_CHARS} characters",
        )


class EnumTable(Generic[_Member]):
    """Numbers of one of the contract's enums → members of ours, which have the same names but for a prefix; 0 is the default."""

    def __init__(self, enum: _Enum, default: _Member) -> None:
        names = {number: name for name, number in enum.items()}
        prefix = names.pop(0).removesuffix("UNSPECIFIED")
        self._members = {number: type(default)[name.removeprefix(prefix)] for number, name in names.items()} | {0: default}
        self._names = tuple(names.values())

    def read(self, number: int, field: str) -> _Member:
        """The member for `number`. Raises `GatewayError` naming `field` for a number that the contract does not have."""
        member = self._members.get(number)
        if member is None:
            raise GatewayError(
                Reason.INVALID_ARGUMENT,
                f"{field} is {number}; it must be {', '.join(self._names[:-1])} or {self._names[-1]}",
                field=field,
                measured=str(number),
                allowed=", ".join(self._names),
            )
        return member


_CACHE_USES: Final = EnumTable(cache_pb2.CacheControl, CacheUse.USE)

_CACHE_STATES: Final = {
    CacheState.NONE: cache_pb2.CACHE_STATE_UNSPECIFIED,
    CacheState.MISS: cache_pb2.CACHE_STATE_MISS,
    CacheState.HIT: cache_pb2.CACHE_STATE_HIT,
    CacheState.SHARED: cache_pb2.CACHE_STATE_SHARED,
}


def read_cache_use(number: int) -> CacheUse:
    """Raises `GatewayError` for what the contract does not have."""
    return _CACHE_USES.read(number, "cache")


def write_info(facts: ImageFacts) -> image_pb2.ImageInfo:
    """The message for what a picture's header says."""
    return image_pb2.ImageInfo(
        format=facts.format,
        width=facts.width,
        height=facts.height,
        orientation=facts.orientation,
        size_bytes=facts.size_bytes,
    )


def write_processing(reply: ProviderReply, actions: Sequence[str] = (), prepare_time: float = 0.0) -> processing_pb2.Processing:
    """The message for how an answer came about. `prepare_time` is in seconds."""
    return processing_pb2.Processing(
        provider=reply.provider,
        preparation=actions,
        attempts=reply.attempts,
        upstream_request_ids=reply.request_ids,
        prepare_time=write_duration(prepare_time),
        queue_time=write_duration(reply.queue_time),
        provider_time=write_duration(reply.work_time),
        cache=_CACHE_STATES[reply.cache],
        decode_time=write_duration(reply.decode_time) if reply.decode_time else None,
    )


def read_float(value: float) -> float:
    """The decimal number that was meant by a protobuf `float`: 0.9, and not the nearest of 32 bits, 0.8999999761581421."""
    return float(f"{value:.7g}")


def write_duration(seconds: float) -> duration_pb2.Duration:
    """Seconds as a protobuf duration."""
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
