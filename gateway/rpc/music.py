"""MusicService: protobuf in, use case, protobuf out."""

from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import ImageContent, MediaContent, MusicMatch
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.convert import read_source, write_duration, write_processing
from gateway.usecases.music import RecognizeMusic


class MusicServicer(pb_grpc.MusicServiceServicer):
    """Serves `gateway.imagerecognition.v1.MusicService`."""

    def __init__(self, recognize_music: RecognizeMusic, calls: Calls) -> None:
        self._recognize_music = recognize_music
        self._calls = calls

    async def RecognizeBackgroundMusic(  # noqa: N802  # the contract's
        self, request: pb.RecognizeBackgroundMusicRequest, context: Context
    ) -> pb.RecognizeBackgroundMusicResponse:
        """Name the music in one recording."""
        return await answered(context, self._calls, lambda: self._recognized(request, context))

    async def _recognized(
        self, request: pb.RecognizeBackgroundMusicRequest, context: Context
    ) -> pb.RecognizeBackgroundMusicResponse:
        with incidents():
            source = read_source(request)
            recording = MediaContent(source.data) if isinstance(source, ImageContent) else source
            recognized = await self._recognize_music(recording, with_cache(read_caller(context), request.cache))
            match = recognized.reply.match
            return pb.RecognizeBackgroundMusicResponse(
                match=_write_match(match) if match is not None else None,
                processing=write_processing(recognized.reply, prepare_time=recognized.fetch_time),
            )


def _write_match(match: MusicMatch) -> pb.MusicMatch:
    return pb.MusicMatch(name=match.name, confidence=match.confidence, offset=write_duration(match.offset_seconds))
