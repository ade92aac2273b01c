"""MusicService through a real channel."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import ImageUri, MediaContent


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


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_failure_of_the_provider_reaches_the_client(stub, provider, reason) -> None:
    provider.failure = GatewayError(reason, "said by the provider")
    call = stub.RecognizeBackgroundMusic(pb.RecognizeBackgroundMusicRequest(content=b"sound"))
    assert await reason_of(call) == reason.value
