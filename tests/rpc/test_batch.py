"""BatchTagImages through a real channel."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.access.claim import TENANT_KEY
from gateway.call import CacheUse
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import cache_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import Language, PreparedImage, TaggingParameters, TaggingReply
from gateway.rpc.batch import results_of
from gateway.rpc.status import CODES

WINDOW = 4  # as the fixture sets it
MOST = 16  # the default


def one(data: bytes, **more: object) -> pb.TagImageRequest:
    return pb.TagImageRequest(content=data, **more)


async def tagged(stub, *requests: pb.TagImageRequest, metadata=(), **more: object) -> list[pb.BatchTagImagesResult]:
    response = await stub.BatchTagImages(pb.BatchTagImagesRequest(requests=requests, **more), metadata=metadata)
    return list(response.results)


def reason_of(result: pb.BatchTagImagesResult) -> str:
    info = error_details_pb2.ErrorInfo()
    assert result.error.details[0].Unpack(info)
    return info.reason


async def refusal(call: object) -> tuple[grpc.StatusCode, str, str]:
    """Code, field and message of a batch that must fail as a whole."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    request = error_details_pb2.BadRequest()
    assert any(detail.Unpack(request) for detail in status.details)
    return caught.value.code(), request.field_violations[0].field, status.message


async def test_a_picture_is_answered_as_if_it_came_alone(stub, dog) -> None:
    alone = await stub.TagImage(one(dog))
    (result,) = await tagged(stub, one(dog))
    for response in (alone, result.response):
        response.processing.ClearField("prepare_time")
    assert result.response == alone


async def test_results_stand_where_their_requests_stood(stub, provider, photos, dog) -> None:
    waiting: list[asyncio.Event] = []

    async def last_first(image: PreparedImage) -> TaggingReply:
        mine = asyncio.Event()
        waiting.append(mine)
        if len(waiting) == WINDOW:
            waiting[-1].set()
        await mine.wait()
        waiting.pop()
        if waiting:
            waiting[-1].set()
        return TaggingReply("commanded", (), request_ids=(str(image.facts.size_bytes),))

    provider.behaviour = last_first
    pictures = [dog] + [(photos / name).read_bytes() for name in ("dog.jpg", "clock.bmp")] + [dog + b"\0"]
    results = await tagged(stub, *map(one, pictures))
    sizes = [int(result.response.processing.upstream_request_ids[0]) for result in results]
    assert sizes == [result.response.image.size_bytes for result in results]
    assert [result.response.image.size_bytes for result in results] == [len(picture) for picture in pictures]


async def test_bad_pictures_fail_alone(stub, dog, bad_pictures) -> None:
    bad = list(bad_pictures.values())
    results = await tagged(stub, one(dog), *(one(data) for data, _ in bad), pb.TagImageRequest(), one(dog))
    assert [result.WhichOneof("outcome") for result in results] == ["response", *["error"] * (len(bad) + 1), "response"]
    assert [reason_of(result) for result in results[1:-1]] == [*(reason for _, reason in bad), "INVALID_ARGUMENT"]
    assert all(result.error.message for result in results[1:-1])


@pytest.mark.parametrize("reason", Reason)
async def test_an_error_of_any_kind_stays_with_its_picture(stub, provider, dog, reason) -> None:
    async def first_fails(_: object) -> TaggingReply:
        if len(provider.calls) == 1:
            raise GatewayError(reason, "what is wrong")
        return TaggingReply("commanded", ())

    provider.behaviour = first_fails
    results = await tagged(stub, one(dog), one(dog))
    (failed,) = [result for result in results if result.HasField("error")]
    assert (failed.error.code, failed.error.message, reason_of(failed)) == (CODES[reason].value[0], "what is wrong", reason)


async def test_a_fault_of_ours_stays_with_its_picture(stub, provider, dog) -> None:
    async def first_fails(_: object) -> TaggingReply:
        if len(provider.calls) == 1:
            raise ZeroDivisionError("/etc/secret")
        return TaggingReply("commanded", ())

    provider.behaviour = first_fails
    results = await tagged(stub, one(dog), one(dog))
    (failed,) = [result.error for result in results if result.HasField("error")]
    assert failed.code == grpc.StatusCode.INTERNAL.value[0]
    assert "secret" not in failed.message


async def test_parameters_are_the_batch_s_unless_a_request_brings_its_own(stub, provider, dog) -> None:
    own = pb.TaggingParameters(limit=7)
    await tagged(stub, one(dog, parameters=own), one(dog), parameters=pb.TaggingParameters(language=pb.LANGUAGE_EN, limit=3))
    asked = {parameters for _, parameters in provider.calls}
    assert asked == {TaggingParameters(limit=7), TaggingParameters(language=Language.EN, limit=3)}


async def test_the_wish_about_the_cache_likewise(stub, provider, dog) -> None:
    refresh = one(dog, cache=cache_pb2.CACHE_CONTROL_REFRESH)
    await tagged(stub, refresh, one(dog), cache=cache_pb2.CACHE_CONTROL_BYPASS, metadata=((TENANT_KEY, "blue"),))
    assert {call.cache for call in provider.callers} == {CacheUse.REFRESH, CacheUse.BYPASS}
    assert {call.tenant for call in provider.callers} == {"blue"}


async def test_no_more_than_a_window_is_worked_on_at_once(stub, provider, dog) -> None:
    full = asyncio.Event()

    async def wait_for_the_others(_: object) -> TaggingReply:
        if provider.under_way == WINDOW:
            full.set()
        await asyncio.wait_for(full.wait(), 5)
        return TaggingReply("commanded", ())

    provider.behaviour = wait_for_the_others
    results = await tagged(stub, *[one(dog)] * MOST)
    assert len(results) == MOST
    assert provider.most_under_way == WINDOW


@pytest.mark.parametrize("count", [0, MOST + 1])
async def test_a_batch_of_none_or_too_many_is_refused(stub, provider, dog, count) -> None:
    code, field, message = await refusal(tagged(stub, *[one(dog)] * count))
    assert (code, field) == (grpc.StatusCode.INVALID_ARGUMENT, "requests")
    assert f"has {count} entries" in message
    assert provider.calls == []


async def test_the_operator_says_how_many(make_server, dog) -> None:
    server = make_server(max_batch_requests=2)
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as channel:
        batch = channel.unary_unary(
            "/gateway.imagerecognition.v1.TaggingService/BatchTagImages",
            request_serializer=pb.BatchTagImagesRequest.SerializeToString,
            response_deserializer=pb.BatchTagImagesResponse.FromString,
        )
        assert len((await batch(pb.BatchTagImagesRequest(requests=[one(dog)] * 2))).results) == 2
        with pytest.raises(grpc.aio.AioRpcError, match="1 to 2"):
            await batch(pb.BatchTagImagesRequest(requests=[one(dog)] * 3))
    await server.drain()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"parameters": pb.TaggingParameters(limit=0)}, "parameters.limit"),
        ({"parameters": pb.TaggingParameters(version=9)}, "parameters.version"),
        ({"cache": 9}, "cache"),
    ],
)
async def test_what_would_fail_every_request_fails_the_batch(stub, provider, dog, more, field) -> None:
    code, found, _ = await refusal(tagged(stub, one(dog), **more))
    assert (code, found) == (grpc.StatusCode.INVALID_ARGUMENT, field)
    assert provider.calls == []


async def test_a_batch_s_tenant_must_be_one(stub, dog) -> None:
    _, field, _ = await refusal(tagged(stub, one(dog), metadata=((TENANT_KEY, "x" * 65),)))
    assert field == TENANT_KEY


async def test_requests_of_one_id_are_done_once(stub, provider, dog) -> None:
    again = one(dog, request_id="a")
    results = await tagged(stub, again, again, one(dog, request_id="a", parameters=pb.TaggingParameters(limit=1)))
    assert len(provider.calls) == 1
    kinds = [result.response.processing.replayed if result.HasField("response") else reason_of(result) for result in results]
    assert kinds == [False, True, "INVALID_ARGUMENT"]
    (same, *_) = await tagged(stub, again, one(dog))
    assert same.response.processing.replayed
    assert len(provider.calls) == 2


async def test_cancelling_a_batch_cancels_its_work(stub, provider, dog) -> None:
    full, ended = asyncio.Event(), asyncio.Event()

    async def stuck(_: object) -> None:
        if provider.under_way == 2:
            full.set()
        try:
            await asyncio.Event().wait()
        finally:
            if provider.under_way == 1:
                ended.set()

    provider.behaviour = stuck
    call = stub.BatchTagImages(pb.BatchTagImagesRequest(requests=[one(dog)] * 2))
    await asyncio.wait_for(full.wait(), 5)
    call.cancel()
    await asyncio.wait_for(ended.wait(), 5)


async def test_what_is_not_begun_is_never_begun_once_cancelled() -> None:
    begun: list[int] = []

    async def answer(number: int) -> None:
        begun.append(number)
        await asyncio.Event().wait()

    batch = asyncio.create_task(results_of(range(5), answer, window=2))
    for _ in range(5):
        await asyncio.sleep(0)
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    assert begun == [0, 1]
