"""Clients that send much and read nothing: what do they cost?"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

import grpc
from grpc import aio

from bench.soak.checks import Check
from bench.soak.cloud import running_cloud
from bench.soak.weather import Weather
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

from .exchange import Told, outcome, read, request, stubs
from .pictures import SMALL, Item, picture
from .process import running_gateway
from .section import Section, all_of, at_most

_TAG = 32 << 10
"""Characters of each tag, which come three times: answers that are not read are to hold the gateway back soon."""

_STILL = 1.0
"""Seconds in which nothing more is taken from a client that is held back."""

_MIB = 1 << 20
_CONNECTION = 64 * _MIB
"""What gRPC takes for a connection on which pictures of megabytes come, as measured."""

_ALLOWANCE = 64 * _MIB
"""For what is not counted."""


@dataclass(frozen=True, slots=True)
class Slow:
    """`readers` queue `queued` bytes each, in pictures of `size`. `held`: the setting `rpc.max_held_bytes`."""

    readers: int = 8
    queued: int = 1 << 30
    size: int = 4 << 20
    held: int = 128 << 20
    window: int = 16
    concurrency: int = 8

    @property
    def items(self) -> int:
        """Of one stream."""
        return self.queued // self.size

    @property
    def bound(self) -> int:
        """Bytes that the gateway may grow by.

        What is held counts as messages; while an item is worked on there are the message, the picture and the cloud's request, as
        base64. gRPC reads ahead for each connection. The allocator keeps what was in use at some time.
        """
        return 4 * self.held + self.readers * _CONNECTION + 6 * self.concurrency * self.size + _ALLOWANCE


class _Reader:
    """A client that reads nothing until it is asked to."""

    def __init__(self, stub: "pb_grpc.TaggingServiceAsyncStub", items: Iterable[Item]) -> None:
        self.sent = 0
        self._call = stub.StreamTagImages(self._requests(items))

    async def finish(self) -> Told:
        """Read everything."""
        return await read(self._call, Told())

    def cancel(self) -> None:
        self._call.cancel()

    async def _requests(self, items: Iterable[Item]) -> AsyncIterator[pb.StreamTagImagesRequest]:
        for item in items:
            yield request(item)
            self.sent += len(item.content)


async def slow(plan: Slow) -> Section:
    """Let all queue up, look, have one read to the end, and cancel the others."""
    settings = {
        "RPC_STREAM_WINDOW": plan.window,
        "RPC_MAX_HELD_BYTES": plan.held,
        "LIMIT_CONCURRENCY": plan.concurrency,
        "CACHE_ENABLED": False,
    }
    calm = Weather(share=0.0, storm_every=0, latency=0.0)
    async with (
        running_cloud(calm) as cloud,
        running_gateway(cloud.url, settings) as gateway,
        stubs(gateway.address, plan.readers + 1) as (other, *own),
    ):
        await _tagged(other)
        before = gateway.memory
        readers = [_Reader(stub, _items(f"r{number}", plan)) for number, stub in enumerate(own)]
        await _still(readers)
        stalled = gateway.peak - before
        sent = sum(reader.sent for reader in readers)
        served = await _tagged(other)
        first, *rest = readers
        for reader in rest:
            reader.cancel()
        told = await first.finish()
        grown = gateway.peak - before
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(reader.finish() for reader in rest))
        drained = await gateway.stop()
    total = plan.readers * plan.queued
    right = sum(found is None for _, found in told.outcomes)
    checks = [
        Check(
            "taken from clients that do not read",
            f"{sent / _MIB:,.0f} MiB",
            f"less than half of {total / _MIB:,.0f} MiB",
            sent < total / 2,
        ),
        at_most("growth of memory while they do not read", stalled / _MIB, plan.bound / _MIB, "MiB"),
        at_most("growth of memory until one has read everything", grown / _MIB, plan.bound / _MIB, "MiB"),
        all_of("pictures tagged for that one", right, plan.items),
        Check("another client's call meanwhile", served.name, "OK", served is grpc.StatusCode.OK),
        at_most("stopping after the others were cancelled", drained, 5, "s"),
    ]
    return Section(
        "Slow readers",
        f"{plan.readers} clients queue {plan.queued / _MIB:,.0f} MiB each, in pictures of {plan.size / _MIB:.1f} MiB, and do not "
        f"read. `rpc.max_held_bytes` is {plan.held / _MIB:.0f} MiB, `rpc.stream_window` {plan.window}, `limit.concurrency` "
        f"{plan.concurrency}. The bound: four times what may be held, 64 MiB for each connection, six pictures for each call to "
        "the cloud, and 64 MiB.",
        checks,
    )


def _items(stream: str, plan: Slow) -> Iterator[Item]:
    for number in range(plan.items):
        name = f"{stream}-{number}"
        yield Item(name, picture(name, plan.size, tag=_TAG), None)


async def _still(readers: list[_Reader]) -> None:
    """Wait until nothing more is taken."""
    sent, since = -1, time.perf_counter()
    while time.perf_counter() - since < _STILL:
        await asyncio.sleep(0.05)
        now = sum(reader.sent for reader in readers)
        if now != sent:
            sent, since = now, time.perf_counter()


async def _tagged(stub: "pb_grpc.TaggingServiceAsyncStub") -> grpc.StatusCode:
    try:
        response = await stub.TagImage(pb.TagImageRequest(content=picture("single", SMALL)), timeout=10)
    except aio.AioRpcError as error:
        return error.code()
    item = pb.StreamTagImagesResult(item_id="single", response=response)
    return grpc.StatusCode.OK if outcome(item) is None else grpc.StatusCode.UNKNOWN
