"""gRPC's own account of the server, over the server itself."""

import asyncio

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc

from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc


async def test_it_tells_of_calls_where_it_is_wanted(make_server, dog) -> None:
    server = make_server(channelz=True, drain_timeout=5)
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as channel:
        await pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog))
        told = await channelz_pb2_grpc.ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest())
    await asyncio.wait_for(server.drain(), 10)
    assert max(one.data.calls_succeeded for one in told.server) >= 1


async def test_it_is_not_there_unless_it_is_wanted(channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channelz_pb2_grpc.ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
