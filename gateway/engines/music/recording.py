"""The sound of a recording that somebody sent: an MP4, decoded within bounds that a hostile file cannot pass."""

import math
from collections.abc import Generator
from typing import Final, NoReturn, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from gateway.engines.music.decode import Piece, decoded
from gateway.engines.music.mp4 import check_mp4, without_tags
from gateway.engines.steps import Checkpoint
from gateway.errors import GatewayError, Reason

PIECE_SECONDS: Final = 20.0
PIECES: Final = 8
"""At most so many pieces of this length are heard, spread evenly over the recording."""

_CODECS: Final = ("aac", "ac3", "alac", "eac3", "flac", "mp3", "mp3float", "opus")
"""Decoders that may be used. None of pictures, so that none of their faults matter."""

_MAX_CHANNELS: Final = 16
_MAX_RATE: Final = 192_000
_MAX_PACKET_SAMPLES: Final = str(1 << 17)

_OPTIONS: Final = {
    "codec_whitelist": ",".join(_CODECS),
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2",
    "ignore_chapters": "1",  # each takes memory, and there may be as many as samples
    "ignore_editlist": "1",  # edit lists may list a file's contents any number of times
    "max_samples": _MAX_PACKET_SAMPLES,
    "max_streams": "32",
}


def pieces(media: bytes, checkpoint: Checkpoint) -> Generator[Piece]:
    """Decode pieces of the sound of an MP4, the middle of it first: beginnings and ends are often silent or spoken.

    Raises `GatewayError` if `media` is no MP4, holds no sound that can be read here, or is damaged.
    """
    check_mp4(media)
    heard = False
    try:
        with av.open(
            without_tags(media), "r", format="mov", options=_OPTIONS, metadata_errors="replace", io_open=_refuse
        ) as container:
            stream = _sound(container)
            for start in _starts((container.duration or 0) / av.time_base):
                container.seek(round(start * av.time_base))
                piece = decoded(container, stream, PIECE_SECONDS, checkpoint)
                heard = heard or piece.samples.size > 0
                yield piece
    except av.FFmpegError as error:
        raise _damaged("it cannot be taken apart") from error
    if not heard:
        raise _damaged("none of its sound can be decoded")


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    """Recordings may name other files to be read; none is."""
    raise PermissionError


def _sound(container: InputContainer) -> AudioStream:
    """The first stream of sound, the others set aside."""
    if not container.streams.audio:
        raise GatewayError(Reason.MEDIA_UNSUPPORTED, "the recording holds no sound", field="content")
    stream = container.streams.audio[0]
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    # PyAV's types do not say so, but what FFmpeg has no decoder for has no context.
    codec = cast("AudioCodecContext | None", stream.codec_context)
    if codec is None or codec.name not in _CODECS:
        raise _unsupported(codec.name if codec else "of an unknown kind", f"one of {', '.join(_CODECS)}")
    if not (0 < codec.sample_rate <= _MAX_RATE and 0 < codec.layout.nb_channels <= _MAX_CHANNELS):
        measured = f"of {codec.layout.nb_channels} channels at {codec.sample_rate} Hz"
        raise _unsupported(measured, f"of 1 to {_MAX_CHANNELS} channels at up to {_MAX_RATE} Hz")
    codec.options = {"max_samples": _MAX_PACKET_SAMPLES}
    codec.thread_count = 1
    return stream


def _starts(duration: float) -> list[float]:
    """Where pieces begin, in seconds."""
    last = duration - PIECE_SECONDS
    if last <= 0:
        return [0.0]
    steps = min(math.ceil(duration / PIECE_SECONDS), PIECES) - 1
    return sorted((last * step / steps for step in range(steps + 1)), key=lambda start: abs(start - last / 2))


def _unsupported(measured: str, allowed: str) -> GatewayError:
    message = f"the recording's sound is {measured}; it must be {allowed}"
    return GatewayError(Reason.MEDIA_UNSUPPORTED, message, field="content", measured=measured, allowed=allowed)


def _damaged(why: str) -> GatewayError:
    return GatewayError(Reason.MEDIA_DAMAGED, f"the recording is damaged: {why}", field="content")
