"""The clients for enhancement and music against the gateway's own services, with a provider that tests command."""

from collections.abc import AsyncIterator

import grpc
import pytest

from gateway.client import (
    CacheUse,
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementClient,
    GatewayError,
    ImageContent,
    ImageUri,
    MediaContent,
    MusicClient,
    MusicMatch,
    Reason,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.client.session import MAX_CONTENT_BYTES
from gateway.imagerecognition.v1 import enhancement_pb2_grpc, music_pb2_grpc
from gateway.media import CacheState, EnhancedImage, EnhancementReply, ImageFacts, MusicReply, RecognizedMusic
from gateway.rpc.calls import Calls
from gateway.rpc.enhancement import EnhancementServicer
from gateway.rpc.music import MusicServicer

GIVEN = ImageFacts("jpeg", 800, 600, 6, 3)
MADE = ImageFacts("png", 2400, 1800, 1, 5 << 20)


class UseCase:
    """Keeps what it is asked; answers with `answer`, or raises it."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []

    async def __call__(self, *asked: object) -> object:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def enhance() -> UseCase:
    # Longer than what gRPC clients take unless they are told otherwise.
    origin = {"attempts": 2, "cache": CacheState.MISS, "request_ids": ("a", "b"), "queue_time": 0.5, "work_time": 1.25}
    reply = EnhancementReply("local", bytes(5 << 20), MADE, **origin)
    return UseCase(EnhancedImage(reply, GIVEN, ("fit: smaller",), prepare_time=0.125))


@pytest.fixture
def recognise() -> UseCase:
    return UseCase(RecognizedMusic(MusicReply("local", MusicMatch("Nocturne", 97.5, -1.25), work_time=2.5), fetch_time=0.5))


@pytest.fixture
async def target(enhance, recognise) -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)])
    enhancement_pb2_grpc.add_EnhancementServiceServicer_to_server(EnhancementServicer(enhance, Calls()), server)
    music_pb2_grpc.add_MusicServiceServicer_to_server(MusicServicer(recognise, Calls()), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.parametrize(
    "parameters",
    [
        DarkEnhanceParameters(0),
        DarkEnhanceParameters(0.5),
        DefogParameters(),
        DefogParameters(4, natural_look=False),
        UpscaleParameters(),
        UpscaleParameters(4, UpscaleModel.SRCNN),
    ],
)
@pytest.mark.parametrize("source", [ImageContent(b"abc"), ImageUri("https://example.org/a.jpg")])
async def test_what_is_asked_and_what_is_answered_arrive_whole(target, enhance, source, parameters) -> None:
    async with EnhancementClient(target) as client:
        enhanced = await client.enhance(source, parameters, cache=CacheUse.REFRESH)
    ((*asked, call),) = enhance.asked
    assert asked == [source, parameters]
    assert call.cache is CacheUse.REFRESH
    assert enhanced == enhance.answer


async def test_a_failure_is_typed(target, enhance) -> None:
    enhance.answer = GatewayError(
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, "too large", field="content", measured="9x9 px", allowed="at most 5 pixels"
    )
    async with EnhancementClient(target) as client:
        with pytest.raises(GatewayError) as caught:
            await client.enhance(ImageContent(b"abc"), UpscaleParameters())
    error = caught.value
    assert (error.reason, error.field, error.measured, error.allowed) == (
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        "content",
        "9x9 px",
        "at most 5 pixels",
    )


@pytest.mark.parametrize("source", [MediaContent(b"abc"), ImageUri("https://example.org/a.mp4")])
async def test_music_is_named(target, recognise, source) -> None:
    async with MusicClient(target) as client:
        recognized = await client.recognise(source, cache=CacheUse.BYPASS)
    ((asked, call),) = recognise.asked
    assert (asked, call.cache) == (source, CacheUse.BYPASS)
    assert recognized == recognise.answer


async def test_music_that_is_not_known_is_no_failure(target, recognise) -> None:
    recognise.answer = RecognizedMusic(MusicReply("local", None))
    async with MusicClient(target) as client:
        assert (await client.recognise(MediaContent(b"abc"))).reply.match is None


async def test_what_no_message_holds_is_not_sent(target, enhance, recognise) -> None:
    too_long = bytes(MAX_CONTENT_BYTES + 1)
    async with EnhancementClient(target) as enhancement, MusicClient(target) as music:
        with pytest.raises(GatewayError) as picture:
            await enhancement.enhance(ImageContent(too_long), DefogParameters())
        with pytest.raises(GatewayError) as recording:
            await music.recognise(MediaContent(too_long))
    assert (picture.value.reason, recording.value.reason) == (Reason.IMAGE_TOO_LARGE, Reason.MEDIA_TOO_LARGE)
    assert str(MAX_CONTENT_BYTES) in recording.value.message
    assert enhance.asked == recognise.asked == []


async def test_nobody_there_is_unavailable() -> None:
    async with MusicClient("127.0.0.1:1") as client:
        with pytest.raises(GatewayError) as caught:
            await client.recognise(MediaContent(b"abc"), timeout=5)
    assert caught.value.reason is Reason.UNAVAILABLE
