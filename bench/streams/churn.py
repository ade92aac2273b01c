"""Streams that end in every way, at random moments: is anything left of them?"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from enum import Enum, auto

import grpc

from bench.soak.checks import none
from bench.soak.cloud import running_cloud
from bench.soak.weather import Weather
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

from .exchange import Told, exchanged, read, request, stubs
from .pictures import Item, picture
from .process import Gateway, running_gateway
from .section import Section, all_of, at_most

_GROWTH = 96 << 20
"""Bytes that the second half of the rounds may add: what allocators keep, not what is in use."""

_SECONDS_TO_SETTLE = 10.0


class _End(Enum):
    """How a client's stream ends."""

    HALF_CLOSED = auto()
    """All is sent, all is read."""
    CANCELLED = auto()
    EXPIRED = auto()
    """Its deadline passes."""
    UNREAD = auto()
    """All is sent, nothing read, then it is cancelled."""
    EMPTY = auto()
    """Half-closed at once."""


@dataclass(frozen=True, slots=True)
class Churn:
    """`streams` at once, as many as the gateway takes, in each of `rounds`, one after the other."""

    streams: int = 100
    rounds: int = 40
    items: int = 40
    size: int = 64 << 10
    seed: int = 1


async def churn(plan: Churn) -> Section:
    """Run all rounds, then see whether as many streams are taken as before, and what the process has kept."""
    settings = {
        "RPC_MAX_STREAMS": plan.streams,
        "LIMIT_CONCURRENCY": 16,
        "LIMIT_QUEUE_LENGTH": 100_000,
        "CACHE_ENABLED": False,
    }
    calm = Weather(share=0.0, storm_every=0, latency=0.002)
    chance = random.Random(plan.seed)  # noqa: S311  # no secret
    wrong = 0
    async with running_cloud(calm) as cloud, running_gateway(cloud.url, settings) as gateway:
        async with stubs(gateway.address, 4) as open_stubs:
            await _full(plan, open_stubs, "warm-up")
            memory, files = 0, gateway.files
            for number in range(plan.rounds):
                if number == plan.rounds // 2:
                    memory = gateway.memory
                wrong += await _round(plan, open_stubs, number, chance)
                await _rested(open_stubs[0], plan)
            ended_well = await _full(plan, open_stubs, "last")
            grown = gateway.memory - memory
            left = await _left(gateway, files)
        drained = await gateway.stop()
        tracebacks = gateway.tracebacks
        await cloud.settle()
        books = await cloud.books()
    return Section(
        "Ends at random",
        f"{plan.rounds} rounds of {plan.streams} streams, as many as `rpc.max_streams` lets in, of up to {plan.items} pictures: "
        "half-closed, empty, cancelled, expired, or cancelled without having been read, each at a random moment.",
        [
            none("streams that were not answered in full though they ended well", wrong),
            all_of("streams that were taken and answered at the end", ended_well, plan.streams),
            none("files and sockets left open", max(0, left)),
            at_most("growth of memory in the second half", grown / 2**20, _GROWTH / 2**20, "MiB"),
            at_most("stopping, which waits for calls under way", drained, 5, "s"),
            none("tracebacks in the gateway's log", tracebacks),
            none("connections that the cloud still has", books.open_connections),
        ],
    )


async def _full(plan: Churn, open_stubs: "list[pb_grpc.TaggingServiceAsyncStub]", name: str) -> int:
    """How many of as many streams as there may be are answered in full."""
    told = await asyncio.gather(
        *(
            exchanged(open_stubs[number % len(open_stubs)], _items(f"{name}-{number}", plan.items, plan.size))
            for number in range(plan.streams)
        )
    )
    return sum(_is_whole(each, plan.items) for each in told)


async def _round(plan: Churn, open_stubs: "list[pb_grpc.TaggingServiceAsyncStub]", number: int, chance: random.Random) -> int:
    """How many streams were not as they should be."""
    right = await asyncio.gather(
        *(
            _one(
                open_stubs[stream % len(open_stubs)],
                list(_items(f"{number}-{stream}", chance.randint(1, plan.items), plan.size)),
                chance.choice(list(_End)),
                chance.random() * 0.5,
            )
            for stream in range(plan.streams)
        )
    )
    return right.count(False)


async def _one(stub: "pb_grpc.TaggingServiceAsyncStub", items: list[Item], end: _End, seconds: float) -> bool:
    """Whether a stream that ends so, after `seconds` if it is broken off, went as it should."""

    async def sent() -> AsyncIterator[pb.StreamTagImagesRequest]:
        for item in items if end is not _End.EMPTY else ():
            yield request(item)

    call = stub.StreamTagImages(sent(), timeout=seconds + 0.001 if end is _End.EXPIRED else None)
    match end:
        case _End.CANCELLED | _End.UNREAD:
            reading = asyncio.create_task(read(call, Told())) if end is _End.CANCELLED else None
            await asyncio.sleep(seconds)
            call.cancel()
            if reading is not None:
                await reading
            return True
        case _End.EXPIRED:
            told = await read(call, Told())
            # Items may have failed in time, by the deadline that is theirs, too.
            return told.code is not grpc.StatusCode.OK or len(told.outcomes) == len(items)
        case _End.HALF_CLOSED:
            return _is_whole(await read(call, Told()), len(items))
        case _End.EMPTY:
            return _is_whole(await read(call, Told()), 0)


def _is_whole(told: Told, items: int) -> bool:
    whole = told.code is grpc.StatusCode.OK and told.summary is not None
    return whole and len(told.outcomes) == items and not told.refused


async def _rested(stub: "pb_grpc.TaggingServiceAsyncStub", plan: Churn) -> None:
    """Wait until the gateway has heard of the cancellations: until it lets in all streams at once."""
    async with asyncio.timeout(_SECONDS_TO_SETTLE):
        while True:
            empty = await asyncio.gather(*(exchanged(stub, ()) for _ in range(plan.streams)))
            if all(_is_whole(each, 0) for each in empty):
                return


async def _left(gateway: Gateway, files: int) -> int:
    """Files that stay open."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_TO_SETTLE):
            while gateway.files > files:  # noqa: ASYNC110  # another process's, which tells nobody
                await asyncio.sleep(0.05)
    return gateway.files - files


def _items(stream: str, count: int, size: int) -> Iterator[Item]:
    for number in range(count):
        name = f"{stream}-{number}"
        yield Item(name, picture(name, size), None)
