"""MusicService through a real channel."""

import hashlib

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import file_pb2
from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import ImageUri, MediaContent
from gateway.rpc.chunks import CHUNK_BYTES, chunked
from gateway.usecases.music import MAX_MEDIA_BYTES


@pytest.fixture
def stub(channel):
    return pb_grpc.MusicServiceStub(channel)


async def reason_of(call) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(caught.value).details[0].Unpack(info)
    return info.reason


async def test_the_answer_names_the_music_and_where_in_it_the_recording_begins(stub, provider) -> None:
    response = await stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(content=b"sound"))
    assert provider.recordings == [MediaContent(b"sound")]
    match = response.match
    assert (match.name, match.confidence, match.offset.ToMilliseconds()) == ("Nocturne", 97.5, -1250)
    assert (response.processing.provider, response.processing.provider_time.ToMilliseconds()) == ("commanded", 1500)


async def test_nothing_recognised_is_an_answer(stub, provider) -> None:
    provider.match = None
    response = await stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(content=b"sound"))
    assert not response.HasField("match")


async def test_a_url_goes_to_a_provider_that_takes_it(stub, provider) -> None:
    await stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(uri="https://example.org/a.mp4"))
    assert provider.recordings == [ImageUri("https://example.org/a.mp4")]


async def test_a_bad_source_is_refused(stub) -> None:
    assert await reason_of(stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest())) == "INVALID_ARGUMENT"
    assert await reason_of(stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(content=b""))) == "IMAGE_EMPTY"
    assert await reason_of(stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(uri="file:///x"))) == "URI_INVALID"


async def test_every_failure_of_the_provider_reaches_the_client(stub, provider) -> None:
    told = {}
    for reason in Reason:
        provider.failure = GatewayError(reason, "said by the provider")
        call = stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(content=b"sound"))
        told[reason] = await reason_of(call)
    assert told == {reason: reason.value for reason in Reason}


def stream(stub, upload: bytes | None = None, *, size: int | None = None, **request: object):
    """The streaming form, about a recording in chunks, said to have `size` bytes, or what the `request` names."""
    config = pb.StreamRecognizeBackgroundMusicConfig(request=pb.RecognizeBackgroundMusicRequest(**request))
    chunks = []
    if upload is not None:
        config.upload.CopyFrom(file_pb2.FileInfo(size_bytes=size or len(upload), sha256=hashlib.sha256(upload).digest()))
        chunks = [file_pb2.FileChunk(offset=offset, data=data) for offset, data in chunked(upload)]
    messages = (pb.StreamRecognizeBackgroundMusicRequest(chunk=chunk) for chunk in chunks)
    return stub.StreamRecognizeBackgroundMusic(iter([pb.StreamRecognizeBackgroundMusicRequest(config=config), *messages]))


async def test_the_longest_recording_comes_in_chunks(stub, provider) -> None:
    recording = bytes(range(256)) * (MAX_MEDIA_BYTES // 256)
    response = (await stream(stub, recording)).response
    assert provider.recordings == [MediaContent(recording)]
    assert (response.match.name, response.match.offset.ToMilliseconds()) == ("Nocturne", -1250)
    assert response.processing.provider == "commanded"


async def test_a_recording_over_the_limit_is_refused_before_it_comes(stub, provider) -> None:
    assert await reason_of(stream(stub, b"", size=MAX_MEDIA_BYTES + 1)) == "MEDIA_TOO_LARGE"
    assert provider.recordings == []


async def test_a_url_may_be_given_over_the_stream(stub, provider) -> None:
    await stream(stub, uri="https://example.org/a.mp4")
    assert provider.recordings == [ImageUri("https://example.org/a.mp4")]


@pytest.mark.parametrize(
    ("upload", "size", "request_"),
    [(None, None, {}), (b"abc", None, {"content": b"abc"}), (b"abc", 4, {}), (b"abc", 2, {}), (b"abc", None, {"cache": 9})],
)
async def test_a_broken_protocol_is_refused(stub, provider, upload, size, request_) -> None:
    assert await reason_of(stream(stub, upload, size=size, **request_)) == "INVALID_ARGUMENT"
    assert provider.recordings == []


async def test_an_empty_recording_in_chunks_is_refused(stub) -> None:
    assert await reason_of(stream(stub, b"")) == "IMAGE_EMPTY"


async def test_every_failure_of_the_provider_ends_the_stream(stub, provider) -> None:
    told = {}
    for reason in Reason:
        provider.failure = GatewayError(reason, "said by the provider")
        told[reason] = await reason_of(stream(stub, bytes(CHUNK_BYTES + 1)))
    assert told == {reason: reason.value for reason in Reason}


@pytest.mark.parametrize("source", [{"content": b"sound"}, {"uri": "https://example.org/a.mp4"}])
async def test_a_request_that_is_only_to_be_checked_costs_nothing(stub, provider, source) -> None:
    request = pb.RecognizeBackgroundMusicRequest(**source, validate_only=True)
    for response in (
        await stub.RecognizeBackgroundMusic(request),
        (await stream(stub, **source, validate_only=True)).response,
    ):
        assert not response.HasField("match")
        assert (response.processing.provider, response.processing.attempts) == ("commanded", 0)
    assert provider.recordings == []


async def test_checking_finds_what_the_call_would_refuse(stub, provider, fetcher) -> None:
    async def reason(**request: object) -> str:
        return await reason_of(stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(validate_only=True, **request)))

    assert await reason() == "INVALID_ARGUMENT"
    assert await reason(content=b"") == "IMAGE_EMPTY"
    expired = "https://bucket.obs.cn-north-4.myhuaweicloud.com/a.mp4?AccessKeyId=A&Expires=1000000000&Signature=c2ln"
    assert await reason(uri=expired) == "URI_INVALID"
    provider.downloads_recordings = False
    assert await reason(uri="https://example.org/a.mp4") == "URI_DOWNLOAD_FAILED"
    fetcher.files["https://example.org/a.mp4"] = bytes(MAX_MEDIA_BYTES + 1)
    assert await reason(uri="https://example.org/a.mp4") == "MEDIA_TOO_LARGE"
