"""One stream, as a client sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from gateway.errors import Reason
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

from .pictures import PADDING, Item

MISTAKEN: Final = "another item's tags"

_OWN_CONNECTION: Final = [("grpc.use_local_subchannel_pool", 1)]


@dataclass(slots=True)
class Told:
    """What came back: for each result the item's name, and the reason if it was refused; the summary; how the call ended."""

    outcomes: list[tuple[str, Reason | str | None]] = field(default_factory=list)
    summary: stream_pb2.StreamSummary | None = None
    code: grpc.StatusCode | None = None

    @property
    def refused(self) -> int:
        return sum(reason is not None for _, reason in self.outcomes)


@contextlib.asynccontextmanager
async def stubs(address: str, connections: int) -> AsyncIterator[list["pb_grpc.TaggingServiceAsyncStub"]]:
    """One for each connection."""
    async with contextlib.AsyncExitStack() as opened:
        channels = [aio.insecure_channel(address, options=_OWN_CONNECTION) for _ in range(connections)]
        for channel in channels:
            await opened.enter_async_context(channel)
        yield [pb_grpc.TaggingServiceStub(channel) for channel in channels]


def request(item: Item) -> pb.StreamTagImagesRequest:
    """That sends `item`."""
    return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item.name, content=item.content))


def outcome(result: pb.StreamTagImagesResult) -> Reason | str | None:
    """Why an item was refused; None if it got its own tags, those of the misbehaving cloud."""
    if result.HasField("error"):
        return reason_of(result.error)
    return None if [tag.name.rstrip(PADDING) for tag in result.response.tags] == [result.item_id] else MISTAKEN


Judge = Callable[[pb.StreamTagImagesResult], Reason | str | None]


async def exchanged(stub: "pb_grpc.TaggingServiceAsyncStub", items: Iterable[Item], judge: Judge = outcome) -> Told:
    """Send all and read all, both as fast as it goes. `judge`: says what came of an item, None if all is well."""

    async def sent() -> AsyncIterator[pb.StreamTagImagesRequest]:
        for item in items:
            yield request(item)

    return await read(stub.StreamTagImages(sent()), Told(), judge)


async def read(
    call: "aio.StreamStreamCall[pb.StreamTagImagesRequest, pb.StreamTagImagesResponse]", told: Told, judge: Judge = outcome
) -> Told:
    """Read to the end, whatever that is."""
    try:
        async for response in call:
            if response.HasField("summary"):
                told.summary = response.summary
            else:
                told.outcomes.append((response.result.item_id, judge(response.result)))
    except aio.AioRpcError as error:
        told.code = error.code()
    except asyncio.CancelledError:
        if not call.cancelled():  # it is the caller who is cancelled
            raise
        told.code = grpc.StatusCode.CANCELLED
    else:
        told.code = await call.code()
    return told


def reason_of(status: status_pb2.Status) -> Reason | str:
    """Of an error, by its `ErrorInfo`."""
    info = error_details_pb2.ErrorInfo()
    detail: Any
    for detail in status.details:
        if detail.Unpack(info):
            return Reason.__members__.get(info.reason, info.reason)
    return "no reason"
