"""EnhancementService through a real channel."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import image_pb2
from gateway.media import DarkEnhanceParameters, DefogParameters, UpscaleModel, UpscaleParameters
from gateway.rpc import enhancement
from gateway.rpc.status import CODES

REQUESTS = {
    "EnhanceDarkImage": pb.EnhanceDarkImageRequest,
    "DefogImage": pb.DefogImageRequest,
    "UpscaleImage": pb.UpscaleImageRequest,
}


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
@pytest.mark.parametrize("reason", list(Reason))
async def test_every_failure_of_the_provider_reaches_the_client(stub, provider, dog, method, reason) -> None:
    provider.failure = GatewayError(reason, "said by the provider")
    code, told, _ = await failure(getattr(stub, method)(REQUESTS[method](content=dog)))
    assert told == reason.value
    assert code is CODES[reason]


async def test_a_fault_of_ours_shows_no_detail(stub, provider, dog) -> None:
    provider.failure = RuntimeError("a secret path")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.DefogImage(pb.DefogImageRequest(content=dog))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()


async def test_a_result_that_no_reply_holds_is_refused(stub, provider, dog, monkeypatch) -> None:
    monkeypatch.setattr(enhancement, "MAX_REPLY_BYTES", 9)
    await stub.DefogImage(pb.DefogImageRequest(content=dog))
    provider.picture = b"a picture."
    refused = await failure(stub.DefogImage(pb.DefogImageRequest(content=dog)))
    assert refused == (grpc.StatusCode.OUT_OF_RANGE, "RESULT_TOO_LARGE", "")
