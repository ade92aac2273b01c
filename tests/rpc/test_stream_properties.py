"""Streams of any shape through a real channel: whatever is sent and however it ends, nothing is answered twice or kept."""

import asyncio
import dataclasses
from collections import Counter
from enum import Enum, auto

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import TaggingReply

WINDOW = 4
SIZES = (0, 1, 4 << 10, 300 << 10, 5 << 20)
"""Bytes that follow a picture, which no decoder looks at: of one frame to more than a default client would take."""


class Kind(Enum):
    """What becomes of an item."""

    GOOD = auto()
    DAMAGED = auto()
    """It never reaches the provider."""
    REFUSED = auto()
    """By the provider."""


class End(Enum):
    """How the client ends the stream."""

    HALF_CLOSED = auto()
    LATE = auto()
    """It half-closes once it has read as many results as it can get."""
    CANCELLED = auto()
    """After as many results as `read`."""
    ABANDONED = auto()
    """It neither reads nor waits: the call is cancelled once all is sent, or flow control holds the sender back."""


@dataclasses.dataclass(frozen=True)
class Item:
    kind: Kind
    turns: int
    size: int


@dataclasses.dataclass(frozen=True)
class Shape:
    items: tuple[Item, ...]
    in_order: bool
    end: End
    read: int


shapes = st.builds(
    Shape,
    items=st.lists(st.builds(Item, st.sampled_from(Kind), st.integers(0, 6), st.sampled_from(SIZES)), max_size=12).map(tuple),
    in_order=st.booleans(),
    end=st.sampled_from(End),
    read=st.integers(0, 12),
)


class Client:
    """One stream, of a shape."""

    def __init__(self, stub: "pb_grpc.TaggingServiceAsyncStub", shape: Shape, dog: bytes) -> None:
        self._shape = shape
        self._dog = dog
        self._all_answered = asyncio.Event()
        self.ids: list[str] = []
        self.failed: list[str] = []
        self.summary: stream_pb2.StreamSummary | None = None
        self.call = stub.StreamTagImages(self._requests())

    async def run(self) -> None:
        if not self._shape.items:
            self._all_answered.set()
        if self._shape.end is End.ABANDONED:
            await asyncio.sleep(0.01 * self._shape.read / 12)
            self.call.cancel()
            return
        async for response in self.call:
            assert self.summary is None, "something after the summary"
            if response.HasField("summary"):
                self.summary = response.summary
                continue
            self.ids.append(response.result.item_id)
            if response.result.HasField("error"):
                self.failed.append(response.result.item_id)
            if len(self.ids) == len(self._shape.items):
                self._all_answered.set()
            if self._shape.end is End.CANCELLED and len(self.ids) >= self._shape.read:
                self.call.cancel()
                return

    async def _requests(self):
        order = stream_pb2.RESULT_ORDER_AS_SENT if self._shape.in_order else stream_pb2.RESULT_ORDER_AS_COMPLETED
        yield pb.StreamTagImagesRequest(config=pb.StreamTagImagesConfig(order=order))
        for number, item in enumerate(self._shape.items):
            content = b"no picture" if item.kind is Kind.DAMAGED else self._dog
            # The limit tells the provider which item it is.
            parameters = pb.TaggingParameters(limit=number + 1)
            sent = pb.StreamTagImagesItem(item_id=str(number), content=content + bytes(item.size), parameters=parameters)
            yield pb.StreamTagImagesRequest(item=sent)
        if self._shape.end is End.LATE:
            await self._all_answered.wait()


async def settled(provider) -> None:
    """Wait until nothing is at work any more."""
    async with asyncio.timeout(10):
        while provider.under_way:  # noqa: ASYNC110  # whose end nobody tells
            await asyncio.sleep(0.001)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=shapes)
def test_streams_of_any_shape(make_server, provider, dog, shape) -> None:
    async def behave(_: object) -> TaggingReply:
        item = shape.items[provider.calls[-1][1].limit - 1]
        for _turn in range(item.turns):
            await asyncio.sleep(0)
        if item.kind is Kind.REFUSED:
            raise GatewayError(Reason.IMAGE_REJECTED, "no")
        return TaggingReply("commanded", ())

    async def exchanged() -> Client:
        server = make_server(stream_window=WINDOW)
        address = await server.start("127.0.0.1:0")
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                client = Client(pb_grpc.TaggingServiceStub(channel), shape, dog)
                await asyncio.wait_for(client.run(), 20)
                await settled(provider)
                # The server is as before.
                again = Client(pb_grpc.TaggingServiceStub(channel), Shape(shape.items, True, End.HALF_CLOSED, 0), dog)
                await asyncio.wait_for(again.run(), 20)
                assert again.ids == [str(number) for number in range(len(shape.items))]
        finally:
            await asyncio.wait_for(server.drain(), 10)
        return client

    provider.behaviour = behave
    provider.most_under_way = 0
    client = asyncio.run(exchanged())

    assert provider.most_under_way <= WINDOW
    assert not [item_id for item_id, times in Counter(client.ids).items() if times > 1]
    assert set(client.ids) <= {str(number) for number in range(len(shape.items))}
    bad = {str(number) for number, item in enumerate(shape.items) if item.kind is not Kind.GOOD}
    assert set(client.failed) == bad & set(client.ids)
    if shape.in_order:
        assert client.ids == [str(number) for number in range(len(client.ids))]
    if shape.end in (End.HALF_CLOSED, End.LATE):
        assert len(client.ids) == len(shape.items)
        assert client.summary is not None
        counted = (client.summary.received, client.summary.succeeded, client.summary.failed)
        assert counted == (len(shape.items), len(shape.items) - len(bad), len(bad))


@pytest.mark.parametrize("end", [End.HALF_CLOSED, End.LATE])
def test_the_shapes_reach_the_provider(make_server, provider, dog, end) -> None:
    """Else the properties would hold of nothing."""
    shape = Shape((Item(Kind.GOOD, 0, 5 << 20), Item(Kind.DAMAGED, 0, 0), Item(Kind.GOOD, 3, 1)), False, end, 0)
    test_streams_of_any_shape.hypothesis.inner_test(make_server, provider, dog, shape)
    assert len(provider.calls) == 4
