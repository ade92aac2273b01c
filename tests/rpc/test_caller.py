import math
import time

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.access.claim import TENANT_KEY
from gateway.call import CacheUse, Call
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import cache_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.caller import with_timeout


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


@pytest.mark.parametrize(("own", "given", "kept"), [(math.inf, 2.5, 102.5), (101.0, 2.5, 101.0), (200.0, 2.5, 102.5)])
def test_an_item_s_timeout_never_extends_the_call_s(own, given, kept) -> None:
    call = Call("blue", own, CacheUse.REFRESH)
    timeout = duration_pb2.Duration(seconds=int(given), nanos=500_000_000)
    assert with_timeout(call, timeout, 100.0) == Call("blue", kept, CacheUse.REFRESH)


@pytest.mark.parametrize("timeout", [{}, {"seconds": -1}, {"nanos": -1}, {"seconds": 1, "nanos": -1_500_000_000}])
def test_a_timeout_of_nothing_is_refused(timeout) -> None:
    with pytest.raises(GatewayError) as caught:
        with_timeout(Call(), duration_pb2.Duration(**timeout), 100.0)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_ARGUMENT, "timeout")


def test_the_longest_timeout_that_can_be_written_is_taken() -> None:
    longest = duration_pb2.Duration(seconds=315_576_000_000, nanos=999_999_999)
    assert with_timeout(Call(), longest, 100.0).deadline > 3e11
