"""MusicService: protobuf in, use case, protobuf out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from gateway.call import Call
from gateway.errors import Reason
from gateway.imagerecognition.v1 import music_pb2 as pb
from gateway.imagerecognition.v1 import music_pb2_grpc as pb_grpc
from gateway.media import ImageContent, ImageSource, MediaContent, MusicMatch
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.authentication import current_caller
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.convert import read_source, write_duration, write_processing
from gateway.rpc.upload import UPLOAD_LIMITS, Upload, UploadLimits, accept
from gateway.usecases.music import MAX_MEDIA_BYTES, RecognizeMusic

_LIMITS: Final = replace(UPLOAD_LIMITS, max_bytes=MAX_MEDIA_BYTES, too_large=Reason.MEDIA_TOO_LARGE)


class MusicServicer(pb_grpc.MusicServiceServicer):
    """Serves `gateway.imagerecognition.v1.MusicService`."""

    def __init__(self, recognize_music: RecognizeMusic, calls: Calls, limits: UploadLimits = _LIMITS) -> None:
        """`limits` are those of recordings that come in chunks."""
        self._recognize_music = recognize_music
        self._calls = calls
        self.limits = limits

    async def RecognizeBackgroundMusic(  # noqa: N802  # the contract's
        self, request: pb.RecognizeBackgroundMusicRequest, context: Context
    ) -> pb.RecognizeBackgroundMusicResponse:
        """Name the music in one recording."""
        return await answered(context, self._calls, lambda: self._reply(request, context))

    async def StreamRecognizeBackgroundMusic(  # noqa: N802  # the contract's
        self, request_iterator: AsyncIterator[pb.StreamRecognizeBackgroundMusicRequest], context: Context
    ) -> pb.StreamRecognizeBackgroundMusicResponse:
        """Name the music in one recording that comes in chunks."""
        return await answered(context, self._calls, lambda: self._stream(request_iterator, context))

    async def _reply(self, request: pb.RecognizeBackgroundMusicRequest, context: Context) -> pb.RecognizeBackgroundMusicResponse:
        with incidents(), current_caller().picture():
            call = with_cache(read_caller(context), request.cache)
            return await self._recognized(read_source(request), request, call)

    async def _stream(
        self, messages: AsyncIterator[pb.StreamRecognizeBackgroundMusicRequest], context: Context
    ) -> pb.StreamRecognizeBackgroundMusicResponse:
        with incidents():
            upload = Upload(messages, self.limits)
            config = await upload.config()
            call = with_cache(read_caller(context), config.request.cache)
            with current_caller().picture(), self._calls.held.admitted(upload.size(config)):
                await accept(context)
                response = await self._recognized(await upload.source(config), config.request, call)
                return pb.StreamRecognizeBackgroundMusicResponse(response=response)

    async def _recognized(
        self, source: ImageSource, request: pb.RecognizeBackgroundMusicRequest, call: Call
    ) -> pb.RecognizeBackgroundMusicResponse:
        recording = MediaContent(source.data) if isinstance(source, ImageContent) else source
        work = self._recognize_music.validate if request.validate_only else self._recognize_music
        recognized = await work(recording, call)
        match = recognized.reply.match
        return pb.RecognizeBackgroundMusicResponse(
            match=_write_match(match) if match is not None else None,
            processing=write_processing(recognized.reply, prepare_time=recognized.fetch_time),
        )


def _write_match(match: MusicMatch) -> pb.MusicMatch:
    return pb.MusicMatch(name=match.name, confidence=match.confidence, offset=write_duration(match.offset_seconds))
