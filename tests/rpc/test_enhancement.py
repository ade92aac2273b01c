"""EnhancementService through a real channel, with the client's default limit of 4 MiB a message."""

import hashlib

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import file_pb2, image_pb2
from gateway.media import DarkEnhanceParameters, DefogParameters, UpscaleModel, UpscaleParameters
from gateway.rpc.chunks import MAX_REPLY_BYTES, chunked
from gateway.rpc.status import CODES

REQUESTS = {
    "EnhanceDarkImage": pb.EnhanceDarkImageRequest,
    "DefogImage": pb.DefogImageRequest,
    "UpscaleImage": pb.UpscaleImageRequest,
}
STREAMS = {
    "EnhanceDarkImage": (pb.StreamEnhanceDarkImageConfig, pb.StreamEnhanceDarkImageRequest),
    "DefogImage": (pb.StreamDefogImageConfig, pb.StreamDefogImageRequest),
    "UpscaleImage": (pb.StreamUpscaleImageConfig, pb.StreamUpscaleImageRequest),
}
"""What makes the messages of each call's streaming form."""


@pytest.fixture
def stub(channel):
    return pb_grpc.EnhancementServiceStub(channel)


async def failure(call) -> tuple[grpc.StatusCode, str, str]:
    """Code, reason and field of a call that must fail, read with the standard helper."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(caught.value).details:
        _ = detail.Unpack(info) or detail.Unpack(bad)
    return caught.value.code(), info.reason, bad.field_violations[0].field if bad.field_violations else ""


@pytest.mark.parametrize("method", REQUESTS)
async def test_the_answer_has_the_picture_and_how_it_came_about(stub, dog, method) -> None:
    enhanced = (await getattr(stub, method)(REQUESTS[method](content=dog))).enhanced
    assert enhanced.content == b"a picture"
    assert enhanced.image == image_pb2.ImageInfo(format="png", width=3, height=2, orientation=1, size_bytes=9)
    assert enhanced.original == image_pb2.ImageInfo(format="jpeg", width=800, height=600, orientation=1, size_bytes=len(dog))
    processing = enhanced.processing
    assert (processing.provider, processing.attempts) == ("commanded", 2)
    assert (processing.queue_time.ToMilliseconds(), processing.provider_time.ToMilliseconds()) == (250, 1500)
    assert processing.prepare_time.ToNanoseconds() > 0


@pytest.mark.parametrize(
    ("method", "fields", "meant"),
    [
        ("EnhanceDarkImage", {}, DarkEnhanceParameters(0.9)),
        ("EnhanceDarkImage", {"brightness": 0}, DarkEnhanceParameters(0)),
        ("EnhanceDarkImage", {"brightness": 0.5}, DarkEnhanceParameters(0.5)),
        ("EnhanceDarkImage", {"brightness": 0.9}, DarkEnhanceParameters(0.9)),  # which 32 bits do not hold
        ("DefogImage", {"gamma": 0.1}, DefogParameters(0.1)),
        ("DefogImage", {}, DefogParameters(1.5, natural_look=True)),
        ("DefogImage", {"gamma": 4, "natural_look": False}, DefogParameters(4, natural_look=False)),
        ("UpscaleImage", {}, UpscaleParameters(3, UpscaleModel.ESPCN)),
        ("UpscaleImage", {"scale": 4, "model": pb.UPSCALE_MODEL_SRCNN}, UpscaleParameters(4, UpscaleModel.SRCNN)),
        ("UpscaleImage", {"model": pb.UPSCALE_MODEL_ESPCN}, UpscaleParameters()),
    ],
)
async def test_parameters_arrive_and_zero_is_not_unset(stub, provider, dog, method, fields, meant) -> None:
    await getattr(stub, method)(REQUESTS[method](content=dog, **fields))
    assert provider.enhancements[0][1] == meant


@pytest.mark.parametrize(
    ("method", "fields", "field"),
    [
        ("EnhanceDarkImage", {"brightness": 1.5}, "brightness"),
        ("EnhanceDarkImage", {"brightness": float("nan")}, "brightness"),
        ("DefogImage", {"gamma": 0}, "gamma"),
        ("UpscaleImage", {"scale": 0}, "scale"),
        ("UpscaleImage", {"scale": 2}, "scale"),
        ("UpscaleImage", {"model": 7}, "model"),
    ],
)
async def test_a_parameter_out_of_range_is_named(stub, dog, method, fields, field) -> None:
    refused = await failure(getattr(stub, method)(REQUESTS[method](content=dog, **fields)))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", field)


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_bad_source_is_refused(stub, provider, method) -> None:
    call, request = getattr(stub, method), REQUESTS[method]
    assert await failure(call(request())) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", "source")
    assert await failure(call(request(content=b""))) == (grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_EMPTY", "content")
    assert await failure(call(request(uri="ftp://x"))) == (grpc.StatusCode.INVALID_ARGUMENT, "URI_INVALID", "uri")
    gone = request(uri="https://example.org/")
    assert await failure(call(gone)) == (grpc.StatusCode.FAILED_PRECONDITION, "URI_DOWNLOAD_FAILED", "uri")
    assert provider.enhancements == []


async def test_a_url_is_downloaded(stub, fetcher, provider, dog) -> None:
    fetcher.files["https://example.org/dog.jpg"] = dog
    await stub.DefogImage(pb.DefogImageRequest(uri="https://example.org/dog.jpg"))
    assert provider.enhancements[0][0].data == dog


async def test_super_resolution_takes_no_webp_but_makes_one_fit(stub, provider, photos) -> None:
    await stub.UpscaleImage(pb.UpscaleImageRequest(content=(photos / "stream.webp").read_bytes()))
    assert provider.enhancements[0][0].sent.format in {"jpeg", "png"}


@pytest.mark.parametrize("method", REQUESTS)
async def test_every_failure_of_the_provider_reaches_the_client(stub, provider, dog, method) -> None:
    told = {}
    for reason in Reason:
        provider.failure = GatewayError(reason, "said by the provider")
        told[reason] = (await failure(getattr(stub, method)(REQUESTS[method](content=dog))))[:2]
    assert told == {reason: (CODES[reason], reason.value) for reason in Reason}


async def test_a_fault_of_ours_shows_no_detail(stub, provider, dog) -> None:
    provider.failure = RuntimeError("a secret path")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.DefogImage(pb.DefogImageRequest(content=dog))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_result_that_a_client_would_refuse_is_not_sent_and_says_how_to_get_it(stub, provider, dog, method) -> None:
    provider.picture = bytes(MAX_REPLY_BYTES)
    enhanced = (await getattr(stub, method)(REQUESTS[method](content=dog))).enhanced
    assert len(enhanced.content) == MAX_REPLY_BYTES
    provider.picture = bytes(MAX_REPLY_BYTES + 1)
    call = getattr(stub, method)(REQUESTS[method](content=dog))
    assert await failure(call) == (grpc.StatusCode.OUT_OF_RANGE, "RESULT_TOO_LARGE", "")
    assert f"Stream{method}" in await call.details()
    header, data = await streamed(stub, method, dog)
    assert data == provider.picture
    assert header.file.size_bytes == MAX_REPLY_BYTES + 1


def stream(stub, method: str, upload: bytes | None = None, **request: object):
    """The streaming form of a call, about a file in chunks or what the `request` names."""
    config, message = STREAMS[method]
    asked = config(request=REQUESTS[method](**request))
    chunks = []
    if upload is not None:
        asked.upload.CopyFrom(file_pb2.FileInfo(size_bytes=len(upload), sha256=hashlib.sha256(upload).digest()))
        chunks = [message(chunk=file_pb2.FileChunk(offset=offset, data=data)) for offset, data in chunked(upload)]
    return getattr(stub, f"Stream{method}")(iter([message(config=asked), *chunks]))


async def streamed(stub, method: str, upload: bytes | None = None, **request: object) -> tuple[pb.EnhancedFile, bytes]:
    """The header and the file that come of it."""
    header, *chunks = [response async for response in stream(stub, method, upload, **request)]
    return header.header, b"".join(response.chunk.data for response in chunks)


@pytest.mark.parametrize("method", REQUESTS)
async def test_the_stream_answers_as_the_call(stub, provider, dog, method) -> None:
    expected = (await getattr(stub, method)(REQUESTS[method](content=dog))).enhanced
    header, data = await streamed(stub, method, dog)
    assert data == expected.content
    assert header.file == file_pb2.FileInfo(size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    assert (header.image, header.original) == (expected.image, expected.original)
    for processing in (header.processing, expected.processing):
        processing.ClearField("prepare_time")
    assert header.processing == expected.processing
    unary, streaming = provider.enhancements
    assert unary == streaming


@pytest.mark.parametrize(
    ("method", "fields", "meant"),
    [
        ("EnhanceDarkImage", {"brightness": 0}, DarkEnhanceParameters(0)),
        ("DefogImage", {"gamma": 4, "natural_look": False}, DefogParameters(4, natural_look=False)),
        ("UpscaleImage", {"scale": 4, "model": pb.UPSCALE_MODEL_SRCNN}, UpscaleParameters(4, UpscaleModel.SRCNN)),
    ],
)
async def test_parameters_of_streams_arrive(stub, provider, fetcher, dog, method, fields, meant) -> None:
    fetcher.files["https://example.org/dog.jpg"] = dog
    await streamed(stub, method, uri="https://example.org/dog.jpg", **fields)
    assert provider.enhancements[0][1] == meant
    assert provider.enhancements[0][0].data == dog


@pytest.mark.parametrize("method", REQUESTS)
async def test_every_failure_of_the_provider_ends_the_stream(stub, provider, dog, method) -> None:
    told = {}
    for reason in Reason:
        provider.failure = GatewayError(reason, "said by the provider")
        told[reason] = (await failure(stream(stub, method, dog).read()))[:2]
    assert told == {reason: (CODES[reason], reason.value) for reason in Reason}


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_picture_in_chunks_is_checked_like_any_other(stub, provider, bad_pictures, method) -> None:
    for data, reason in bad_pictures.values():
        assert await failure(stream(stub, method, data).read()) == (grpc.StatusCode.INVALID_ARGUMENT, reason, "content")
    assert provider.enhancements == []


async def test_a_fault_of_ours_ends_the_stream_without_detail(stub, provider, dog) -> None:
    provider.failure = RuntimeError("a secret path")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream(stub, "DefogImage", dog).read()
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()


@pytest.mark.parametrize("method", REQUESTS)
async def test_a_request_that_is_only_to_be_checked_costs_nothing(stub, provider, dog, method) -> None:
    checked = (await getattr(stub, method)(REQUESTS[method](content=dog, validate_only=True))).enhanced
    assert checked.original == image_pb2.ImageInfo(format="jpeg", width=800, height=600, orientation=1, size_bytes=len(dog))
    assert (checked.processing.provider, checked.processing.attempts) == ("commanded", 0)
    assert (checked.content, checked.HasField("image")) == (b"", False)
    header, data = await streamed(stub, method, dog, validate_only=True)
    assert (header.original, header.processing.provider) == (checked.original, "commanded")
    assert (data, header.HasField("file"), header.HasField("image")) == (b"", False, False)
    assert provider.enhancements == []


@pytest.mark.parametrize("method", REQUESTS)
async def test_checking_finds_what_the_call_would_refuse(stub, bad_pictures, method) -> None:
    for data, reason in bad_pictures.values():
        for call in (
            getattr(stub, method)(REQUESTS[method](content=data, validate_only=True)),
            stream(stub, method, data, validate_only=True).read(),
        ):
            assert await failure(call) == (grpc.StatusCode.INVALID_ARGUMENT, reason, "content")


async def test_checking_tells_what_preparation_would_do(stub, photos) -> None:
    request = pb.UpscaleImageRequest(content=(photos / "stream.webp").read_bytes(), validate_only=True)
    (action,) = (await stub.UpscaleImage(request)).enhanced.processing.preparation
    assert action.startswith("convert")
