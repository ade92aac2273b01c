import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import TaggingReply
from gateway.rpc.settings import RpcSettings


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_describes_the_services(channel, version) -> None:
    call = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="gateway.imagerecognition.v1.TaggingService"),
    ]
    listed, described = [response async for response in call(iter(requests))]
    assert {service.name for service in listed.list_services_response.service} == {
        "gateway.imagerecognition.v1.EnhancementService",
        "gateway.imagerecognition.v1.GatewayService",
        "gateway.imagerecognition.v1.MusicService",
        "gateway.imagerecognition.v1.PreprocessService",
        "gateway.imagerecognition.v1.TaggingService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert any(b"StreamTagImages" in file for file in described.file_descriptor_response.file_descriptor_proto)
    assert reflection_pb2_grpc  # the stub's module registers the messages


async def test_a_second_server_on_the_port_is_refused(address, make_server) -> None:
    with pytest.raises(OSError, match="in use"):
        await make_server().start(address)


async def test_draining_lets_calls_in_flight_end_and_takes_no_new_ones(make_server, provider, dog) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def hold(_: object) -> TaggingReply:
        started.set()
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    server = make_server(drain_timeout=30)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.TaggingServiceStub(channel)
        call = stub.TagImage(pb.TagImageRequest(content=dog))
        await asyncio.wait_for(started.wait(), 5)
        draining = asyncio.create_task(server.drain())
        code = None
        while code is not grpc.StatusCode.UNAVAILABLE:  # until the server has noticed that it drains
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.TagImage(pb.TagImageRequest(content=dog), timeout=0.1)
            code = caught.value.code()
        assert not draining.done()
        release.set()
        assert (await call).processing.provider == "commanded"
        await asyncio.wait_for(draining, 10)


async def test_a_health_watch_does_not_hold_up_the_drain(make_server) -> None:
    server = make_server(drain_timeout=60)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        await asyncio.wait_for(server.drain(), 10)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_call_that_does_not_end_is_cancelled_after_the_grace(make_server, provider, dog) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def stuck(_: object) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    provider.behaviour = stuck
    server = make_server(drain_timeout=0.1)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        call = pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog))
        await asyncio.wait_for(started.wait(), 5)
        await asyncio.wait_for(server.drain(), 10)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    await asyncio.wait_for(ended.wait(), 5)


async def test_an_idle_stream_does_not_hold_up_the_drain_and_can_be_resumed(make_server, dog) -> None:
    server = make_server(drain_timeout=60)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stream = pb_grpc.TaggingServiceStub(channel).StreamTagImages()
        await stream.write(item("first", dog))
        assert (await stream.read()).result.item_id == "first"
        await asyncio.wait_for(server.drain(), 10)
        assert await interruption(stream) == "1 items answered"


async def test_what_a_stream_has_read_is_answered_before_the_drain_ends_it(make_server, provider, dog) -> None:
    started, release = asyncio.Semaphore(0), asyncio.Event()

    async def hold(_: object) -> TaggingReply:
        started.release()
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    server = make_server(drain_timeout=60, stream_window=2)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stream = pb_grpc.TaggingServiceStub(channel).StreamTagImages(iter([item(str(n), dog) for n in range(6)]))
        for _ in range(2):
            await asyncio.wait_for(started.acquire(), 5)
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        draining = asyncio.create_task(server.drain())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        release.set()
        assert {(await stream.read()).result.item_id for _ in range(2)} == {"0", "1"}
        assert await interruption(stream) == "2 items answered"
        await asyncio.wait_for(draining, 10)
    assert len(provider.calls) == 2  # nothing was begun that was not answered


async def test_a_stream_that_was_sent_whole_ends_as_ever_while_draining(make_server, provider, dog) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def hold(_: object) -> TaggingReply:
        started.set()
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    server = make_server(drain_timeout=60)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stream = pb_grpc.TaggingServiceStub(channel).StreamTagImages(iter([item("only", dog)]))
        await asyncio.wait_for(started.wait(), 5)
        await (
            pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=b"x")).code()
        )  # what was sent before is here
        draining = asyncio.create_task(server.drain())
        await asyncio.sleep(0)
        release.set()
        assert [response.WhichOneof("payload") async for response in stream] == ["result", "summary"]
        await asyncio.wait_for(draining, 10)


async def test_a_draining_server_sends_its_clients_elsewhere(make_server, provider, dog) -> None:
    """To another one on the same port, as a balancer or a worker would be: no call fails, none waits for the drain."""
    started, release = asyncio.Event(), asyncio.Event()
    behaviour = provider.behaviour

    async def hold(_: object) -> TaggingReply:
        started.set()
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    before = make_server(drain_timeout=60, share_port=True)
    address = await before.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.TaggingServiceStub(channel)
        call = asyncio.ensure_future(stub.TagImage(pb.TagImageRequest(content=dog)))
        await asyncio.wait_for(started.wait(), 5)
        provider.behaviour = behaviour
        after = make_server(share_port=True)
        await after.start(address)
        draining = asyncio.create_task(before.drain())
        async with asyncio.timeout(10):
            while channel.get_state() is grpc.ChannelConnectivity.READY:  # until the client knows
                await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
            assert (await stub.TagImage(pb.TagImageRequest(content=dog))).tags[0].name == "cat"
            assert not draining.done()
            release.set()
            await call
            await draining
            await after.drain()


def item(item_id: str, data: bytes) -> pb.StreamTagImagesRequest:
    return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, content=data))


async def interruption(stream: grpc.aio.StreamStreamCall) -> str:
    """What a stream that the server interrupts says of how far it came."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert (caught.value.code(), info.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
    return info.metadata["measured"]


async def test_new_limits_hold_from_then_on(make_server, dog) -> None:
    server = make_server(max_batch_requests=2)
    address = await server.start("127.0.0.1:0")
    batch = pb.BatchTagImagesRequest(requests=[pb.TagImageRequest(content=dog)] * 2)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.TaggingServiceStub(channel)
        assert len((await stub.BatchTagImages(batch, timeout=30)).results) == 2
        server.adopt(RpcSettings(max_batch_requests=1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.BatchTagImages(batch, timeout=30)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        server.adopt(RpcSettings(max_batch_requests=2, max_calls=1))
        assert len((await stub.BatchTagImages(batch, timeout=30)).results) == 2
    await asyncio.wait_for(server.drain(), 10)
