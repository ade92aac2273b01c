"""Admission, on a server of its own whose four methods, one of each kind, give back what they get once they may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.rpc.admission import Admission
from gateway.rpc.calls import Calls
from gateway.rpc.reflection import add_reflection
from gateway.rpc.settings import RpcSettings

KINDS = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"]


class Echo:
    """What is served, and what is seen of it."""

    def __init__(self) -> None:
        self.started = asyncio.Semaphore(0)
        self.ended = asyncio.Semaphore(0)
        self.release = asyncio.Event()
        self.release.set()
        self.under_way = 0

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        self.under_way += 1
        self.started.release()
        try:
            await self.release.wait()
            yield
        finally:
            self.under_way -= 1
            self.ended.release()

    async def unary_unary(self, request: bytes, _: object) -> bytes:
        async with self._held():
            return request

    async def unary_stream(self, request: bytes, _: object) -> AsyncIterator[bytes]:
        async with self._held():
            yield request
            yield request

    async def stream_unary(self, requests: AsyncIterator[bytes], _: object) -> bytes:
        async with self._held():
            return b"".join([request async for request in requests])

    async def stream_stream(self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
        async with self._held():
            async for request in requests:
                await context.write(request)


class Served:
    """A server with admission before `Echo`."""

    def __init__(self, *, max_held_bytes: int = 1 << 30, **settings: object) -> None:
        self.echo = Echo()
        self.calls = Calls(max_held_bytes=max_held_bytes)
        self.server = grpc.aio.server(interceptors=[Admission(self.calls, RpcSettings(**settings))])
        handlers = {kind: getattr(grpc, f"{kind}_rpc_method_handler")(getattr(self.echo, kind)) for kind in KINDS}
        typed = grpc.unary_unary_rpc_method_handler(
            self.echo.unary_unary,
            request_deserializer=pb.TagImageRequest.FromString,
            response_serializer=lambda _: b"",
        )
        generic = grpc.method_handlers_generic_handler("test.Echo", handlers | {"typed": typed})
        self.server.add_generic_rpc_handlers([generic])
        health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), self.server)
        add_reflection(self.server, ())

    async def __aenter__(self) -> Self:
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self.server.stop(None)

    def begin(self, kind: str, *requests: bytes, method: str = "") -> "asyncio.Task[list[bytes]]":
        """Call the method of `kind`; gives what it answers."""
        call = getattr(self.channel, kind)(f"/test.Echo/{method or kind}")

        async def answers() -> list[bytes]:
            made = call(iter(requests) if kind.startswith("stream") else requests[0])
            return [response async for response in made] if kind.endswith("stream") else [await made]

        return asyncio.create_task(answers())


async def failure(call: object) -> tuple[grpc.StatusCode, str, float | None]:
    """The code, the reason and the delay of RetryInfo, in seconds."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    details = rpc_status.from_call(caught.value).details
    assert details[0].Unpack(info)
    told_to_wait = any(detail.Unpack(retry) for detail in details)
    return caught.value.code(), info.reason, retry.retry_delay.ToMilliseconds() / 1000 if told_to_wait else None


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_of_every_kind_are_served(kind) -> None:
    async with Served() as served:
        requests = [b"a", b"b"] if kind.startswith("stream") else [b"a"]
        answers = await served.begin(kind, *requests)
    assert answers == {
        "unary_unary": [b"a"],
        "unary_stream": [b"a", b"a"],
        "stream_unary": [b"ab"],
        "stream_stream": [b"a", b"b"],
    }.get(kind)


@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        ("unary_unary", "max_calls"),
        ("unary_stream", "max_calls"),
        ("stream_unary", "max_streams"),
        ("stream_stream", "max_streams"),
    ],
)
async def test_calls_beyond_the_bound_are_refused_until_one_ends(kind, bound) -> None:
    async with Served(**{bound: 2}) as served:
        served.echo.release.clear()
        first = [served.begin(kind, b"x") for _ in range(2)]
        for _ in first:
            await asyncio.wait_for(served.echo.started.acquire(), 5)
        assert await failure(served.begin(kind, b"x")) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", 1.0)
        assert served.echo.under_way == 2
        served.echo.release.set()
        await asyncio.gather(*first)
        assert await served.begin(kind, b"x")


async def test_a_full_server_answers_health_and_reflection() -> None:
    async with Served(max_calls=1, max_streams=1) as served:
        served.echo.release.clear()
        full = [served.begin("unary_unary", b"x"), served.begin("stream_stream", b"x")]
        for _ in full:
            await asyncio.wait_for(served.echo.started.acquire(), 5)
        response = await health_pb2_grpc.HealthStub(served.channel).Check(health_pb2.HealthCheckRequest())
        assert response.status == health_pb2.HealthCheckResponse.SERVING
        reflection = served.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        assert [answer async for answer in reflection(iter([b"\x3a\x00"]))]  # list_services
        served.echo.release.set()
        await asyncio.gather(*full)


async def test_a_refused_call_s_message_is_not_waited_for() -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with Served(max_calls=1) as served:
        served.echo.release.clear()
        first = served.begin("unary_unary", b"x")
        await asyncio.wait_for(served.echo.started.acquire(), 5)
        call = served.channel.stream_unary("/test.Echo/unary_unary")(never(), timeout=10)
        assert (await failure(call))[1] == "OVERLOADED"
        served.echo.release.set()
        await first


async def test_a_message_that_does_not_arrive_gives_its_place_back() -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with Served(max_calls=1, receive_timeout=0.05) as served:
        call = served.channel.stream_unary("/test.Echo/unary_unary")(never(), timeout=10)
        assert (await failure(call))[1] == "DEADLINE_EXCEEDED"
        assert await served.begin("unary_unary", b"x") == [b"x"]


async def test_a_call_that_is_cancelled_gives_its_place_and_its_bytes_back() -> None:
    async with Served(max_calls=1, max_held_bytes=10) as served:
        served.echo.release.clear()
        first = served.begin("unary_unary", b"x" * 10)
        await asyncio.wait_for(served.echo.started.acquire(), 5)
        first.cancel()
        served.echo.release.set()
        await asyncio.wait_for(served.echo.ended.acquire(), 5)
        await asyncio.sleep(0)  # the handler's own end, after its work's
        assert served.calls.held.held == 0
        assert await served.begin("unary_unary", b"x" * 10)


async def test_messages_beyond_the_bytes_are_refused() -> None:
    async with Served(max_held_bytes=10) as served:
        served.echo.release.clear()
        first = served.begin("unary_unary", b"x" * 6)
        await asyncio.wait_for(served.echo.started.acquire(), 5)
        assert await failure(served.begin("unary_unary", b"x" * 5)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", 1.0)
        second = served.begin("unary_unary", b"x" * 4)
        await asyncio.wait_for(served.echo.started.acquire(), 5)
        assert served.calls.held.held == 10
        served.echo.release.set()
        await asyncio.gather(first, second)
        assert served.calls.held.held == 0


async def test_a_call_without_a_message_is_refused() -> None:
    async with Served() as served:
        call = served.channel.stream_unary("/test.Echo/unary_unary")(iter(()))
        assert (await failure(call))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_bytes_that_are_no_message_are_refused() -> None:
    async with Served() as served:
        call = served.begin("unary_unary", b"\xff\xff\xff", method="typed")
        assert (await failure(call))[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
        assert not served.echo.started._value


@pytest.mark.parametrize("kind", KINDS)
async def test_a_closed_server_says_that_it_is_stopping(kind) -> None:
    async with Served() as served:
        served.calls.close()
        assert (await failure(served.begin(kind, b"x")))[:2] == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def test_an_unknown_method_is_unimplemented() -> None:
    async with Served() as served:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.channel.unary_unary("/test.Echo/nothing")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
