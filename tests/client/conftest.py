"""A tagging service on a real channel that does what a test says."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import grpc
import pytest

from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.status import CODES, to_status

ANSWER = pb.TagImageResponse(tags=[pb.Tag(name="cat", confidence=90, localized_name=pb.LocalizedText(zh="猫", en="cat"))])


@dataclass
class ScriptedTagging(pb_grpc.TaggingServiceServicer):
    """Answers everything, but for the first calls, which end as `failures` say, with `trailers`.

    `accepted`: how many items of a stream are answered before it fails.
    """

    failures: list[GatewayError | grpc.StatusCode] = field(default_factory=list)
    trailers: tuple[tuple[str, str], ...] = ()
    accepted: int = 0
    unary: list[pb.TagImageRequest] = field(default_factory=list)
    streams: list[list[pb.StreamTagImagesRequest]] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    remaining: list[float | None] = field(default_factory=list)
    before_failure: Callable | None = None

    async def TagImage(self, request, context):
        self.unary.append(request)
        self._note(context)
        if self.failures:
            await self._fail(context)
        return ANSWER

    async def StreamTagImages(self, request_iterator, context):
        received: list[pb.StreamTagImagesRequest] = []
        self.streams.append(received)
        self._note(context)
        answered = 0
        if self.failures and not self.accepted:
            await self._fail(context)
        async for request in request_iterator:
            received.append(request)
            if not request.HasField("item"):
                continue
            if self.failures and answered == self.accepted:
                if self.before_failure is not None:
                    await self.before_failure()
                await self._fail(context)
            answered += 1
            yield pb.StreamTagImagesResponse(result=pb.StreamTagImagesResult(item_id=request.item.item_id, response=ANSWER))
        yield pb.StreamTagImagesResponse(summary=stream_pb2.StreamSummary())

    def _note(self, context) -> None:
        self.metadata.append(dict(context.invocation_metadata()))
        self.remaining.append(context.time_remaining())

    async def _fail(self, context) -> None:
        failure = self.failures.pop(0)
        if isinstance(failure, grpc.StatusCode):
            await context.abort(failure, "gone", self.trailers)
        details = ("grpc-status-details-bin", to_status(failure).SerializeToString())
        await context.abort(CODES[failure.reason], failure.message, (details, *self.trailers))


@pytest.fixture
def tagging() -> ScriptedTagging:
    """What the service at `target` does, and what it has seen."""
    return ScriptedTagging()


@contextlib.asynccontextmanager
async def served(servicer: ScriptedTagging, credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[str]:
    server = grpc.aio.server()
    pb_grpc.add_TaggingServiceServicer_to_server(servicer, server)
    address = "127.0.0.1:0"
    port = server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.fixture
def serving() -> Callable:
    """Serves a servicer, for as long as the context lasts."""
    return served


@pytest.fixture
async def target(tagging: ScriptedTagging) -> AsyncIterator[str]:
    """Where the scripted service is."""
    async with served(tagging) as target:
        yield target
