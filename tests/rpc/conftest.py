"""A gRPC server on loopback, with a provider that tests command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from grpc.aio import _call

from gateway.access.gate import Gate
from gateway.call import Call
from gateway.client.true_status import keep_true_status
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import preprocess_pb2_grpc
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import (
    Box,
    EnhancementParameters,
    EnhancementReply,
    ImageFacts,
    ImageUri,
    LocalizedText,
    MediaSource,
    MusicMatch,
    MusicReply,
    PreparedImage,
    Tag,
    TaggingParameters,
    TaggingReply,
    TagInstance,
)
from gateway.prepare import PrepareOptions, Preparer
from gateway.rpc.server import RpcServer
from gateway.rpc.settings import RpcSettings
from gateway.rpc.telemetry import RpcTelemetry
from gateway.usecases.catalogue import UseCases
from gateway.usecases.chain import Chain
from gateway.usecases.enhancement import EnhanceImage
from gateway.usecases.intake import Intake
from gateway.usecases.music import RecognizeMusic
from gateway.usecases.preprocessing import Preprocess
from gateway.usecases.tagging import TagImage
from tests.gates import open_gate

CAT = Tag(
    name="cat",
    confidence=91.5,
    type="object",
    localized_name=LocalizedText(zh="猫", en="cat"),
    localized_type=LocalizedText(zh="物体", en="object"),
    instances=(TagInstance(Box(1.5, 2.0, 30.0, 40.25), 88.0),),
)


class CommandedProvider:
    """Answers as its `behaviour` says, which tests replace; counts what is under way."""

    name = "commanded"
    downloads_images = True
    downloads_recordings = True
    decodes_here = False

    def __init__(self) -> None:
        self.behaviour: Callable[[PreparedImage | ImageUri], Awaitable[TaggingReply]] = self._cat
        self.healthy = True
        self.calls: list[tuple[PreparedImage | ImageUri, TaggingParameters]] = []
        self.callers: list[Call] = []
        self.enhancements: list[tuple[PreparedImage, EnhancementParameters]] = []
        self.recordings: list[MediaSource] = []
        self.picture = b"a picture"
        self.match: MusicMatch | None = MusicMatch("Nocturne", 97.5, -1.25)
        self.failure: Exception | None = None
        self.under_way = 0
        self.most_under_way = 0

    async def _cat(self, image: PreparedImage | ImageUri) -> TaggingReply:
        del image
        return TaggingReply(self.name, (CAT,), attempts=2, request_ids=("r1", "r2"), queue_time=0.25, work_time=1.5)

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call) -> TaggingReply:
        self.calls.append((image, parameters))
        self.callers.append(call)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.behaviour(image)
        finally:
            self.under_way -= 1

    async def enhance(self, image: PreparedImage, parameters: EnhancementParameters, call: Call) -> EnhancementReply:
        self.enhancements.append((image, parameters))
        if self.failure is not None:
            raise self.failure
        facts = ImageFacts(format="png", width=3, height=2, orientation=1, size_bytes=len(self.picture))
        return EnhancementReply(self.name, self.picture, facts, attempts=2, queue_time=0.25, work_time=1.5)

    async def recognize_music(self, source: MediaSource, call: Call) -> MusicReply:
        self.recordings.append(source)
        if self.failure is not None:
            raise self.failure
        return MusicReply(self.name, self.match, work_time=1.5)

    async def check(self) -> None:
        if not self.healthy:
            raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")

    async def aclose(self) -> None:
        """Nothing to close."""


class Fetcher:
    """Has what tests put in `files`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        if uri not in self.files:
            raise GatewayError(Reason.URI_DOWNLOAD_FAILED, "no such file", field="uri")
        if max_bytes is not None and len(self.files[uri]) > max_bytes:
            raise GatewayError(Reason.IMAGE_TOO_LARGE, "too long", field="uri", measured=f"{len(self.files[uri])} bytes")
        return self.files[uri]


MakeServer = Callable[..., RpcServer]


@pytest.fixture(autouse=True)
def true_statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call ends with what the server said, as the gateway's clients have it: it may end a call that still sends, and then
    grpcio would say `INTERNAL` now and then (grpc/grpc#36066)."""
    begin = _call.Call.__init__

    def begun(call: _call.Call, *arguments: object) -> None:
        begin(call, *arguments)
        core = call._cython_call
        keep_true_status(call)
        assert call._cython_call is not core, "grpcio is made otherwise now: see keep_true_status"

    monkeypatch.setattr(_call.Call, "__init__", begun)


@pytest.fixture
def provider() -> CommandedProvider:
    return CommandedProvider()


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher()


@pytest.fixture
def preprocess(fetcher: Fetcher, preparer: Preparer) -> Preprocess:
    return Preprocess(fetcher, preparer, allow_other_formats=False)


@pytest.fixture
def gate() -> Gate:
    """Everybody may do everything."""
    return open_gate()


@pytest.fixture
def make_server(
    provider: CommandedProvider, fetcher: Fetcher, preparer: Preparer, preprocess: Preprocess, gate: Gate
) -> MakeServer:
    """Makes a server with the settings that differ from the defaults."""

    def make(
        *,
        telemetry: RpcTelemetry | None = None,
        share_port: bool = False,
        credentials: grpc.ServerCredentials | None = None,
        **settings: object,
    ) -> RpcServer:
        intake = Intake(fetcher, preparer, PrepareOptions())
        use_cases = UseCases(
            TagImage(Chain([provider]), intake),
            EnhanceImage(Chain([provider]), intake),
            RecognizeMusic(Chain([provider]), fetcher),
            preprocess,
            Chain([provider]),
        )
        own = RpcSettings(health_interval=3600, **settings)
        return RpcServer(own, use_cases, gate, telemetry, share_port=share_port, credentials=credentials)

    return make


@pytest.fixture
async def address(make_server: MakeServer) -> AsyncIterator[str]:
    server = make_server(stream_window=4, drain_timeout=5)
    yield await server.start("127.0.0.1:0")
    await asyncio.wait_for(server.drain(), 10)


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "pb_grpc.TaggingServiceAsyncStub":
    return pb_grpc.TaggingServiceStub(channel)


@pytest.fixture
def preprocess_stub(channel: grpc.aio.Channel) -> "preprocess_pb2_grpc.PreprocessServiceAsyncStub":
    """As a client that was given no options: it refuses messages over 4 MiB."""
    return preprocess_pb2_grpc.PreprocessServiceStub(channel)
