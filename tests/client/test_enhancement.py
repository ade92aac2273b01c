"""The clients for enhancement and music against the gateway's own services, with a provider that tests command."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import numpy as np
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
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc, file_pb2, music_pb2_grpc
from gateway.media import CacheState, EnhancedImage, EnhancementReply, ImageFacts, MusicReply, RecognizedMusic
from gateway.rpc.authentication import Authentication
from gateway.rpc.calls import Calls
from gateway.rpc.enhancement import EnhancementServicer
from gateway.rpc.music import MusicServicer
from gateway.rpc.upload import UploadLimits
from gateway.usecases.music import MAX_MEDIA_BYTES
from tests.gates import open_gate

GIVEN = ImageFacts("jpeg", 800, 600, 6, 3)
MADE = ImageFacts("png", 2400, 1800, 1, 5 << 20)
MAX_PICTURE_BYTES = 20 << 20


def noise(seed: int, length: int) -> bytes:
    """Bytes that look like no others."""
    return np.random.default_rng(seed).bytes(length)


class UseCase:
    """Keeps what it is asked; answers with `answer`, or raises it, once `work` is done, if there is any."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[object, ...]] = []
        self.work: Callable[..., Awaitable[object]] | None = None

    async def __call__(self, *asked: object) -> object:
        self.asked.append(asked)
        if self.work is not None:
            await self.work(*asked)
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
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def target(enhance, recognise, calls) -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)], interceptors=[Authentication(open_gate())])
    enhancement = EnhancementServicer(enhance, calls, UploadLimits(MAX_PICTURE_BYTES))
    enhancement_pb2_grpc.add_EnhancementServiceServicer_to_server(enhancement, server)
    music_pb2_grpc.add_MusicServiceServicer_to_server(MusicServicer(recognise, calls), server)
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


async def test_what_no_message_holds_goes_in_chunks(target, enhance, recognise) -> None:
    picture, recording = noise(1, (17 << 20) + 1), noise(2, MAX_MEDIA_BYTES)
    made = noise(3, (33 << 20) + 7)
    enhance.answer = EnhancedImage(EnhancementReply("local", made, MADE), GIVEN)
    async with EnhancementClient(target) as enhancement, MusicClient(target) as music:
        enhanced = await enhancement.enhance(ImageContent(picture), DefogParameters())
        await music.recognise(MediaContent(recording))
    assert enhanced.reply.image == made
    assert enhance.asked[0][0] == ImageContent(picture)
    assert recognise.asked[0][0] == MediaContent(recording)


async def test_a_file_that_the_gateway_does_not_take_is_not_sent_and_the_reason_is_told(target, enhance, recognise) -> None:
    """Over and over: grpcio's client loses the status of a call that ends while it writes, now and then."""
    async with EnhancementClient(target) as enhancement, MusicClient(target) as music:
        for _ in range(20):
            with pytest.raises(GatewayError) as picture:
                await enhancement.enhance(ImageContent(bytes(MAX_PICTURE_BYTES + 1)), DefogParameters())
            assert picture.value.reason is Reason.IMAGE_TOO_LARGE
        with pytest.raises(GatewayError) as recording:
            await music.recognise(MediaContent(bytes(MAX_MEDIA_BYTES + 1)))
    assert recording.value.reason is Reason.MEDIA_TOO_LARGE
    assert str(MAX_MEDIA_BYTES) in recording.value.allowed
    assert enhance.asked == recognise.asked == []


async def test_a_gateway_that_stops_says_so(target, calls) -> None:
    calls.close()
    async with EnhancementClient(target) as enhancement, MusicClient(target) as music:
        for call in (
            enhancement.enhance(ImageContent(bytes(5 << 20)), DefogParameters()),
            music.recognise(MediaContent(bytes(5 << 20))),
        ):
            with pytest.raises(GatewayError) as caught:
                await call
            assert caught.value.reason is Reason.SHUTTING_DOWN


async def test_a_caller_that_gives_up_ends_the_call(target, enhance, calls) -> None:
    begun = asyncio.Event()

    async def work(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    enhance.work = work
    async with EnhancementClient(target) as client:
        waiting = asyncio.create_task(client.enhance(ImageContent(b"abc"), DefogParameters()))
        await asyncio.wait_for(begun.wait(), 5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await calls.ended(5)


async def test_a_call_takes_no_longer_than_it_may(target, enhance) -> None:
    enhance.work = lambda *_: asyncio.Event().wait()
    async with EnhancementClient(target) as client:
        with pytest.raises(GatewayError) as caught:
            await client.enhance(ImageContent(b"abc"), DefogParameters(), timeout=0.2)
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED


class ScriptedServer(enhancement_pb2_grpc.EnhancementServiceServicer):
    """Answers with `responses`, whatever is asked."""

    def __init__(self) -> None:
        self.responses: list[pb.StreamDefogImageResponse] = []

    async def StreamDefogImage(self, request_iterator, context):
        await context.send_initial_metadata((("x-upload-accepted", "1"),))
        async for _ in request_iterator:
            pass
        for response in self.responses:
            yield response


@pytest.fixture
async def scripted() -> AsyncIterator[tuple[ScriptedServer, EnhancementClient]]:
    script = ScriptedServer()
    server = grpc.aio.server()
    enhancement_pb2_grpc.add_EnhancementServiceServicer_to_server(script, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with EnhancementClient(f"127.0.0.1:{port}") as client:
        yield script, client
    await server.stop(None)


def header(data: bytes = b"abcdef") -> pb.StreamDefogImageResponse:
    file = file_pb2.FileInfo(size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    return pb.StreamDefogImageResponse(header=pb.EnhancedFile(file=file))


def chunk(offset: int, data: bytes) -> pb.StreamDefogImageResponse:
    return pb.StreamDefogImageResponse(chunk=file_pb2.FileChunk(offset=offset, data=data))


async def test_pieces_of_any_length_are_put_together(scripted) -> None:
    script, client = scripted
    script.responses = [header(), chunk(0, b"a"), chunk(1, b"bcd"), chunk(4, b"ef")]
    assert (await client.enhance(ImageContent(b"x"), DefogParameters())).reply.image == b"abcdef"


@pytest.mark.parametrize(
    "responses",
    [
        [],
        [chunk(0, b"abcdef")],
        [header()],
        [header(), chunk(0, b"abcde")],
        [header(), chunk(0, b"abcdef"), chunk(6, b"g")],
        [header(), chunk(0, b"abcdefg")],
        [header(), chunk(1, b"bcdef")],
        [header(), chunk(0, b"abc"), chunk(0, b"abc")],
        [header(), chunk(0, b""), chunk(0, b"abcdef")],
        [header(), header(), chunk(0, b"abcdef")],
        [header(), chunk(0, b"abcdex")],
        [pb.StreamDefogImageResponse(), chunk(0, b"abcdef")],
    ],
)
async def test_a_result_that_comes_damaged_is_no_result(scripted, responses) -> None:
    script, client = scripted
    script.responses = responses
    with pytest.raises(GatewayError) as caught:
        await client.enhance(ImageContent(b"x"), DefogParameters())
    assert caught.value.reason is Reason.INTERNAL


async def test_nobody_there_is_unavailable() -> None:
    async with MusicClient("127.0.0.1:1") as client:
        with pytest.raises(GatewayError) as caught:
            await client.recognise(MediaContent(b"abc"), timeout=5)
    assert caught.value.reason is Reason.UNAVAILABLE
