import time

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.call import CacheUse
from gateway.imagerecognition.v1 import cache_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.caller import TENANT_KEY


@pytest.fixture
def tagging(channel) -> pb_grpc.TaggingServiceStub:
    return pb_grpc.TaggingServiceStub(channel)


async def test_tenant_and_deadline_reach_the_provider(tagging, provider, dog) -> None:
    await tagging.TagImage(pb.TagImageRequest(content=dog), timeout=60, metadata=((TENANT_KEY, "blue"),))
    await tagging.TagImage(pb.TagImageRequest(content=dog))
    first, second = provider.callers
    assert first.tenant == "blue"
    assert 50 < first.deadline - time.monotonic() < 60.5
    assert (second.tenant, second.deadline) == ("", float("inf"))


async def test_the_last_word_on_the_cache_is_the_item_s(tagging, provider, dog) -> None:
    def messages():
        config = pb.StreamTagImagesConfig(cache=cache_pb2.CACHE_CONTROL_BYPASS)
        yield pb.StreamTagImagesRequest(config=config)
        for item_id, cache in (("a", 0), ("b", cache_pb2.CACHE_CONTROL_REFRESH)):
            yield pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, content=dog, cache=cache))

    async for _ in tagging.StreamTagImages(messages(), metadata=((TENANT_KEY, "red"),)):
        pass
    assert {call.cache for call in provider.callers} == {CacheUse.BYPASS, CacheUse.REFRESH}
    assert {call.tenant for call in provider.callers} == {"red"}


async def test_a_tenant_that_is_too_long_is_refused(tagging, dog) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await tagging.TagImage(pb.TagImageRequest(content=dog), metadata=((TENANT_KEY, "x" * 65),))
    status = rpc_status.from_call(caught.value)
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    request = error_details_pb2.BadRequest()
    assert any(detail.Unpack(request) for detail in status.details)
    assert request.field_violations[0].field == TENANT_KEY


async def test_an_unknown_wish_is_refused(tagging, dog) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="cache is 9"):
        await tagging.TagImage(pb.TagImageRequest(content=dog, cache=9))
