"""TagImage through a real channel."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import image_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import ImageUri, Language, TaggingParameters


async def failure(call: object) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, str]:
    """The status of a call that must fail, read with the standard helper."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert status.message == caught.value.details()
    return caught.value.code(), info, status.message


async def test_the_answer_has_tags_picture_and_processing(stub, dog) -> None:
    response = await stub.TagImage(pb.TagImageRequest(content=dog))
    (tag,) = response.tags
    assert (tag.name, tag.confidence, tag.type) == ("cat", 91.5, "object")
    assert (tag.localized_name.zh, tag.localized_name.en) == ("猫", "cat")
    (instance,) = tag.instances
    box = instance.bounding_box
    assert (box.left, box.top, box.width, box.height, instance.confidence) == (1.5, 2.0, 30.0, 40.25, 88.0)
    assert response.image == image_pb2.ImageInfo(format="jpeg", width=800, height=600, orientation=1, size_bytes=len(dog))
    processing = response.processing
    assert (processing.provider, processing.attempts, list(processing.upstream_request_ids)) == ("commanded", 2, ["r1", "r2"])
    assert list(processing.preparation) == []
    assert processing.queue_time.ToMilliseconds() == 250
    assert processing.provider_time.ToMilliseconds() == 1500
    assert processing.prepare_time.ToNanoseconds() > 0


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (pb.TaggingParameters(), TaggingParameters()),
        (
            pb.TaggingParameters(language=pb.LANGUAGE_EN, threshold=0, limit=150),
            TaggingParameters(language=Language.EN, threshold=0, limit=150),
        ),
        (pb.TaggingParameters(language=pb.LANGUAGE_ZH, threshold=100, limit=1), TaggingParameters(threshold=100, limit=1)),
    ],
)
async def test_parameters_arrive_and_zero_is_not_unset(stub, provider, dog, sent, meant) -> None:
    await stub.TagImage(pb.TagImageRequest(content=dog, parameters=sent))
    assert provider.calls[0][1] == meant


async def test_a_uri_is_handed_on_to_a_provider_that_takes_it(stub, provider) -> None:
    response = await stub.TagImage(pb.TagImageRequest(uri="https://example.org/cat.jpg"))
    assert provider.calls[0][0] == ImageUri("https://example.org/cat.jpg")
    assert not response.HasField("image")


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        (pb.TaggingParameters(threshold=100.5), "parameters.threshold"),
        (pb.TaggingParameters(threshold=-1), "parameters.threshold"),
        (pb.TaggingParameters(threshold=float("nan")), "parameters.threshold"),
        (pb.TaggingParameters(limit=0), "parameters.limit"),
        (pb.TaggingParameters(limit=151), "parameters.limit"),
        (pb.TaggingParameters(language=7), "parameters.language"),
    ],
)
async def test_a_parameter_out_of_range_is_named(stub, provider, dog, parameters, field) -> None:
    code, info, message = await failure(stub.TagImage(pb.TagImageRequest(content=dog, parameters=parameters)))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert field in message
    assert info.metadata["allowed"]
    assert provider.calls == []


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.TagImageRequest(), "INVALID_ARGUMENT"),
        (pb.TagImageRequest(content=b""), "IMAGE_EMPTY"),
        (pb.TagImageRequest(uri="ftp://example.org/cat.jpg"), "URI_INVALID"),
        (pb.TagImageRequest(uri="https://someone:secret@example.org/"), "URI_INVALID"),
        (pb.TagImageRequest(uri=""), "URI_INVALID"),
    ],
)
async def test_a_bad_source_is_refused(stub, provider, request_, reason) -> None:
    code, info, message = await failure(stub.TagImage(request_))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert "secret" not in message
    assert provider.calls == []


async def test_each_bad_picture_gets_its_reason(stub, provider, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        code, info, message = await failure(stub.TagImage(pb.TagImageRequest(content=data)))
        assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
        assert message
    assert provider.calls == []


async def test_the_provider_s_error_reaches_the_client(stub, provider, dog) -> None:
    async def throttled(_: object) -> None:
        raise GatewayError(Reason.UPSTREAM_THROTTLED, "slow down", retry_after=2)

    provider.behaviour = throttled
    code, info, message = await failure(stub.TagImage(pb.TagImageRequest(content=dog)))
    assert (code, info.reason, message) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "UPSTREAM_THROTTLED", "slow down")


async def test_a_fault_of_ours_shows_no_detail_but_a_key_to_the_log(stub, provider, dog, caplog) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError("/etc/secret")

    provider.behaviour = broken
    code, info, message = await failure(stub.TagImage(pb.TagImageRequest(content=dog)))
    assert (code, info.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in message
    assert "ZeroDivisionError" not in message
    incident = message.rsplit(" ", 1)[1]
    assert any(incident in record.getMessage() for record in caplog.records)


async def test_a_picture_over_the_default_limit_of_grpc_is_taken(stub, provider, photos) -> None:
    padded = (photos / "clock.bmp").read_bytes() + bytes(5 << 20)  # a BMP may be followed by anything
    await stub.TagImage(pb.TagImageRequest(content=padded))
    assert len(provider.calls) == 1


async def test_cancelling_a_call_cancels_its_work(stub, provider, dog) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def stuck(_: object) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    provider.behaviour = stuck
    call = stub.TagImage(pb.TagImageRequest(content=dog))
    await asyncio.wait_for(started.wait(), 5)
    call.cancel()
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_deadline_cancels_its_work(stub, provider, dog) -> None:
    ended = asyncio.Event()

    async def stuck(_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    provider.behaviour = stuck
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.TagImage(pb.TagImageRequest(content=dog), timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(ended.wait(), 5)
