"""TagImage through a real channel."""

import asyncio
import io
import json

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import image_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import ImageUri, Language, TaggingParameters, TaggingReply, TaggingVersion
from gateway.rpc.status import CODES, to_status


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
        (pb.TaggingParameters(version=3), "parameters.version"),
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


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (pb.TaggingParameters(version=pb.TAGGING_VERSION_V2), TaggingParameters()),
        (
            pb.TaggingParameters(version=pb.TAGGING_VERSION_V1),
            TaggingParameters(threshold=0, limit=30, version=TaggingVersion.V1),
        ),
        (
            pb.TaggingParameters(version=pb.TAGGING_VERSION_V1, threshold=80, limit=3),
            TaggingParameters(threshold=80, limit=3, version=TaggingVersion.V1),
        ),
    ],
)
async def test_each_version_has_its_defaults(stub, provider, dog, sent, meant) -> None:
    await stub.TagImage(pb.TagImageRequest(content=dog, parameters=sent))
    assert provider.calls[0][1] == meant


async def test_the_time_of_decoding_is_told_where_it_is_known(stub, provider, dog) -> None:
    assert not (await stub.TagImage(pb.TagImageRequest(content=dog))).processing.HasField("decode_time")

    async def local(_: object) -> TaggingReply:
        return TaggingReply("commanded", (), work_time=1.5, decode_time=0.5)

    provider.behaviour = local
    assert (await stub.TagImage(pb.TagImageRequest(content=dog))).processing.decode_time.ToMilliseconds() == 500


async def test_a_picture_that_is_only_checked_is_described_and_not_tagged(stub, provider, photos) -> None:
    picture = (photos / "dog.jpg").read_bytes()
    buffer = io.BytesIO()
    Image.new("RGB", (5000, 3000)).save(buffer, "JPEG")
    response = await stub.TagImage(pb.TagImageRequest(content=buffer.getvalue(), validate_only=True))
    assert (response.image.width, response.image.height) == (5000, 3000)
    assert response.processing.preparation[0] == "fit: 5000x3000 px to 4096x2458 px"
    assert (response.processing.provider, response.processing.attempts) == ("commanded", 0)
    assert not response.tags
    done = await stub.TagImage(pb.TagImageRequest(content=picture))
    checked = await stub.TagImage(pb.TagImageRequest(content=picture, validate_only=True))
    assert (checked.image, checked.processing.preparation) == (done.image, done.processing.preparation)
    assert len(provider.calls) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "INVALID_ARGUMENT"),
        ({"content": b"GIF89a"}, "IMAGE_FORMAT_UNSUPPORTED"),
        ({"uri": "ftp://example.org/"}, "URI_INVALID"),
        ({"uri": "https://example.org/a?AccessKeyId=K&Expires=1000000000&Signature=S"}, "URI_INVALID"),
        ({"uri": "https://example.org/a", "parameters": pb.TaggingParameters(limit=0)}, "INVALID_ARGUMENT"),
        ({"uri": "https://example.org/a", "cache": 9}, "INVALID_ARGUMENT"),
        ({"uri": "https://example.org/a", "request_id": "x" * 65}, "INVALID_ARGUMENT"),
    ],
)
async def test_a_check_refuses_what_the_call_would(stub, provider, fields, reason) -> None:
    code, info, _ = await failure(stub.TagImage(pb.TagImageRequest(validate_only=True, **fields)))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert provider.calls == []


async def test_a_check_of_a_url_that_the_provider_downloads_looks_no_further(stub, provider) -> None:
    response = await stub.TagImage(pb.TagImageRequest(uri="https://example.org/a", validate_only=True))
    assert not response.HasField("image")
    assert response.processing.provider == "commanded"
    assert provider.calls == []


async def test_a_check_of_a_url_that_the_gateway_downloads_looks_at_the_picture(stub, provider, fetcher, dog) -> None:
    provider.downloads_images = False
    fetcher.files["https://example.org/a"] = dog
    response = await stub.TagImage(pb.TagImageRequest(uri="https://example.org/a", validate_only=True))
    assert response.image.size_bytes == len(dog)
    code, info, _ = await failure(stub.TagImage(pb.TagImageRequest(uri="https://example.org/b", validate_only=True)))
    assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "URI_DOWNLOAD_FAILED")


async def test_items_of_a_stream_and_a_batch_can_be_checked_only(stub, provider, dog) -> None:
    item = pb.StreamTagImagesItem(item_id="a", content=dog, validate_only=True)
    first, _ = [response async for response in stub.StreamTagImages(iter([pb.StreamTagImagesRequest(item=item)]))]
    request = pb.TagImageRequest(content=dog, validate_only=True)
    batch = await stub.BatchTagImages(pb.BatchTagImagesRequest(requests=[request, pb.TagImageRequest(content=dog)]))
    checked, tagged = batch.results
    assert first.result.response.image == checked.response.image == tagged.response.image
    assert (len(checked.response.tags), len(tagged.response.tags)) == (0, 1)
    assert len(provider.calls) == 1


async def test_an_item_s_timeout_ends_that_item_only(stub, provider, dog) -> None:
    ended = asyncio.Event()

    async def stuck(_: object) -> TaggingReply:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    provider.behaviour = stuck
    hurried = pb.StreamTagImagesItem(item_id="hurried", content=dog, timeout={"nanos": 50_000_000})
    bad = [pb.StreamTagImagesItem(item_id=f"{seconds}", content=dog, timeout={"seconds": seconds}) for seconds in (0, -1)]
    requests = [pb.StreamTagImagesRequest(item=item) for item in (hurried, *bad)]
    *results, last = [response async for response in stub.StreamTagImages(iter(requests))]
    found = {response.result.item_id: response.result.error for response in results}
    assert found["hurried"].code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
    assert ended.is_set()
    assert (last.summary.received, last.summary.failed) == (3, 3)
    for item in bad:
        request = error_details_pb2.BadRequest()
        assert any(detail.Unpack(request) for detail in found[item.item_id].details)
        assert request.field_violations[0].field == "timeout"


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down", retry_after=1.5), "1500"),
        (GatewayError(Reason.OVERLOADED, "busy", retry_after=0.0004), "1"),
        (GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down"), None),
        (GatewayError(Reason.UPSTREAM_TIMEOUT, "late"), "-1"),
        (GatewayError(Reason.UPSTREAM_INTERNAL, "broken", retry_after=3), None),
    ],
)
async def test_policies_of_retry_are_told_how_long_to_wait(stub, provider, dog, error, pause) -> None:
    async def fails(_: object) -> None:
        raise error

    provider.behaviour = fails
    call = stub.TagImage(pb.TagImageRequest(content=dog))
    with pytest.raises(grpc.aio.AioRpcError):
        await call
    assert dict(await call.trailing_metadata()).get("grpc-retry-pushback-ms") == pause


async def test_a_policy_of_retry_waits_as_long_as_it_is_told(address, provider, dog) -> None:
    cat = provider.behaviour

    async def down_once(image: object) -> TaggingReply:
        if len(provider.calls) == 1:
            raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down", retry_after=0.05)
        return await cat(image)

    provider.behaviour = down_once
    policy = {"maxAttempts": 2, "initialBackoff": "60s", "maxBackoff": "60s", "backoffMultiplier": 1}
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy | {"retryableStatusCodes": ["UNAVAILABLE"]}}]}
    options = [("grpc.service_config", json.dumps(config)), ("grpc.per_rpc_retry_buffer_size", 1 << 20)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        response = await pb_grpc.TaggingServiceStub(channel).TagImage(pb.TagImageRequest(content=dog), timeout=20)
    assert response.tags
    assert len(provider.calls) == 2


@pytest.mark.parametrize("reason", Reason)
async def test_every_error_of_a_provider_is_told_alone_and_in_a_stream(stub, provider, dog, reason) -> None:
    async def fails(_: object) -> None:
        raise GatewayError(reason, "what is wrong")

    provider.behaviour = fails
    code, info, message = await failure(stub.TagImage(pb.TagImageRequest(content=dog)))
    assert (code, info.reason, message) == (CODES[reason], reason, "what is wrong")
    item = pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id="a", content=dog))
    first, last = [response async for response in stub.StreamTagImages(iter([item]))]
    assert first.result.error == to_status(GatewayError(reason, "what is wrong"))
    assert last.summary.failed == 1
