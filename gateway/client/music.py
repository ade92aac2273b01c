"""Recognition of music over gRPC, for asyncio."""

from typing import Any

import grpc

from gateway.call import CacheUse
from gateway.client.channel import Connected, Target
from gateway.client.convert import CACHE_CONTROLS, read_origin
from gateway.client.errors import read_call_error
from gateway.client.exchange import answer_to
from gateway.client.upload import announced, send, with_uri
from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import MediaSource, MusicMatch, MusicReply, RecognizedMusic


class MusicClient(Connected):
    """Has one gateway name the music in recordings. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: Target) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too."""
        super().__init__(target)
        self._stub = pb_grpc.MusicServiceStub(self._channel)

    async def recognise(
        self, source: MediaSource, *, cache: CacheUse = CacheUse.USE, timeout: float | None = None
    ) -> RecognizedMusic:
        """Name the music in one recording: an MP4 of at most 65 MB, which travels in chunks. `timeout` is in seconds.

        Raises `GatewayError`.
        """
        request = pb.RecognizeBackgroundMusicRequest(cache=CACHE_CONTROLS[cache], **with_uri(source))
        config = pb.StreamRecognizeBackgroundMusicConfig(request=request, upload=await announced(source))
        call: Any = self._stub.StreamRecognizeBackgroundMusic(timeout=timeout)
        try:
            await send(call, pb.StreamRecognizeBackgroundMusicRequest, config, source)
            response = (await answer_to(call)).response
        except grpc.aio.AioRpcError as error:
            raise read_call_error(error) from error
        finally:
            call.cancel()  # for a caller that is cancelled; without effect once the call has ended
        match = _read_match(response.match) if response.HasField("match") else None
        return RecognizedMusic(
            reply=MusicReply(match=match, **read_origin(response.processing)),
            fetch_time=response.processing.prepare_time.ToTimedelta().total_seconds(),
        )


def _read_match(match: pb.MusicMatch) -> MusicMatch:
    return MusicMatch(name=match.name, confidence=match.confidence, offset_seconds=match.offset.ToTimedelta().total_seconds())
