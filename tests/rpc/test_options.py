"""That what gRPC is told takes effect, seen from the other end of real connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

import grpc
import pytest

from gateway.imagerecognition.v1 import enhancement_pb2, enhancement_pb2_grpc
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import TaggingReply

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS, _PING, _GOAWAY = 4, 6, 7
_MAX_CONCURRENT_STREAMS = 3


@contextlib.asynccontextmanager
async def served(server) -> AsyncIterator[str]:
    yield await server.start("127.0.0.1:0")
    await asyncio.wait_for(server.drain(), 10)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(9)
    return head[3], await reader.readexactly(int.from_bytes(head[:3], "big"))


async def frames(address: str) -> AsyncIterator[tuple[int, bytes]]:
    """The HTTP/2 frames, type and payload, that a client gets which says hello and then no more; ends with the connection."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(_PREFACE)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                yield await _frame(reader)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def first(address: str, kind: int) -> bytes:
    async with asyncio.timeout(10), contextlib.aclosing(frames(address)) as received:
        return await anext(payload async for frame, payload in received if frame == kind)


class Hold:
    """A provider's behaviour that lasts as long as tests want."""

    def __init__(self) -> None:
        self.started, self.release = asyncio.Event(), asyncio.Event()

    async def __call__(self, _: object) -> TaggingReply:
        self.started.set()
        await self.release.wait()
        return TaggingReply("commanded", ())


@pytest.fixture
def hold(provider) -> Hold:
    provider.behaviour = Hold()
    return provider.behaviour


async def test_old_connections_are_asked_to_go_and_their_calls_end(make_server, hold, dog) -> None:
    async with (
        served(make_server(connection_age=1, connection_grace=30)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        call = pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog))
        await asyncio.wait_for(hold.started.wait(), 5)
        await first(address, _GOAWAY)  # a connection that was made later is old already
        async with asyncio.timeout(5):  # as this one, which takes no new calls
            state = channel.get_state()
            while state is grpc.ChannelConnectivity.READY:
                await channel.wait_for_state_change(state)
                state = channel.get_state()
        hold.release.set()
        assert (await call).processing.provider == "commanded"
        assert await pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog))


async def test_calls_that_outlast_the_grace_are_ended(make_server, hold, dog) -> None:
    async with (
        served(make_server(connection_age=1, connection_grace=0.1)) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        call = pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(call, 10)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("age", [0, 3600])
async def test_a_client_that_is_gone_is_noticed(make_server, age) -> None:
    server = make_server(connection_age=age, keepalive_time=1, keepalive_timeout=0.2)
    async with served(server) as address, asyncio.timeout(5), contextlib.aclosing(frames(address)) as received:
        kinds = [kind async for kind, _ in received]  # until the server has ended the connection
    assert _PING in kinds


@pytest.mark.parametrize("borne", [True, False])
async def test_clients_may_ping_as_often_as_the_setting_says(make_server, borne) -> None:
    """Six pings without data and without calls, where gRPC bears two that come too early."""
    async with served(make_server(least_ping_interval=0.01 if borne else 3600)) as address:
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(_PREFACE)
        answered = 0
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(10):
                for number in range(6):
                    writer.write(bytes([0, 0, 8, _PING, 0, 0, 0, 0, 0]) + number.to_bytes(8, "big"))
                    while (await _frame(reader)) != (_PING, number.to_bytes(8, "big")):
                        pass
                    answered += 1
                    await asyncio.sleep(0.02)  # the pause is what is tried
        assert (answered == 6) is borne
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_the_calls_of_one_connection_are_bounded(make_server) -> None:
    async with served(make_server(connection_calls=7)) as address:
        payload = await first(address, _SETTINGS)
    settings = {payload[n : n + 2]: payload[n + 2 : n + 6] for n in range(0, len(payload), 6)}
    assert int.from_bytes(settings[_MAX_CONCURRENT_STREAMS.to_bytes(2, "big")], "big") == 7


class Tap:
    """A way to the server that counts what comes back."""

    def __init__(self, address: str) -> None:
        self._host, self._port = address.split(":")
        self.received = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(self._host, int(self._port))
        await asyncio.gather(self._pipe(reader, forth, counted=False), self._pipe(back, writer, counted=True))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(1 << 16):
                self.received += len(data) * counted
                sink.write(data)
                await sink.drain()
        sink.close()


_NAME = "n" * 20_000


@pytest.mark.parametrize(
    ("compression", "method", "compressed"),
    [("none", "TagImage", False), ("gzip", "TagImage", True), ("gzip", "DefogImage", False)],
)
async def test_replies_but_pictures_are_compressed_on_request(
    make_server, provider, dog, compression, method, compressed
) -> None:
    provider.picture = _NAME.encode()  # no picture, but what would be shorter, were it compressed

    async def tagged(_: object) -> TaggingReply:
        return TaggingReply("commanded", (), request_ids=(_NAME,))

    provider.behaviour = tagged
    service, stubs = ("Tagging", pb_grpc) if method == "TagImage" else ("Enhancement", enhancement_pb2_grpc)
    request = pb.TagImageRequest(content=dog) if method == "TagImage" else enhancement_pb2.DefogImageRequest(content=dog)
    async with (
        served(make_server(compression=compression)) as address,
        Tap(address) as tap,
        grpc.aio.insecure_channel(tap.address) as channel,
    ):
        call = getattr(getattr(stubs, f"{service}ServiceStub")(channel), method)
        assert _NAME in str(await call(request, compression=grpc.Compression.Gzip))  # requests may be compressed, too
    assert (tap.received < len(_NAME)) is compressed
