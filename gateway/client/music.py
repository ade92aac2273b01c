"""Recognition of music over gRPC, for asyncio."""

from gateway.call import CacheUse
from gateway.client.channel import Connected
from gateway.client.convert import CACHE_CONTROLS, read_origin, write_source
from gateway.client.exchange import answer_to
from gateway.client.session import check_size
from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import MediaSource, MusicMatch, MusicReply, RecognizedMusic


class MusicClient(Connected):
    """Has one gateway name the music in recordings. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`."""
        super().__init__(target)
        self._stub = pb_grpc.MusicServiceStub(self._channel)

    async def recognise(
        self, source: MediaSource, *, cache: CacheUse = CacheUse.USE, timeout: float | None = None
    ) -> RecognizedMusic:
        """Name the music in one recording: an MP4, larger ones by URL. `timeout` is in seconds. Raises `GatewayError`."""
        check_size(source)
        request = pb.RecognizeBackgroundMusicRequest(cache=CACHE_CONTROLS[cache], **write_source(source))
        response = await answer_to(self._stub.RecognizeBackgroundMusic(request, timeout=timeout))
        match = _read_match(response.match) if response.HasField("match") else None
        return RecognizedMusic(
            reply=MusicReply(match=match, **read_origin(response.processing)),
            fetch_time=response.processing.prepare_time.ToTimedelta().total_seconds(),
        )


def _read_match(match: pb.MusicMatch) -> MusicMatch:
    return MusicMatch(name=match.name, confidence=match.confidence, offset_seconds=match.offset.ToTimedelta().total_seconds())
