"""From packets of sound to mono samples at 8 kHz, by FFmpeg's libraries (PyAV)."""

from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from gateway.engines.music.landmarks import RATE, Samples
from gateway.engines.steps import Checkpoint

_MAX_PACKETS_PER_SECOND: Final = 1000
"""Codecs make 10 to 400 packets of a second; of a file with more, less is heard."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a recording: `samples` (mono, 8 kHz, -1 to 1) from `start` seconds on."""

    start: float
    samples: Samples


def decoded(container: InputContainer, stream: AudioStream, seconds: float, checkpoint: Checkpoint) -> Piece:
    """Decode at most so many seconds, from where `container` stands. What cannot be decoded is left out; all of it is no error.

    Raises `av.FFmpegError` if the file cannot be read on.
    """
    resampler: AudioResampler | None = None
    kind: tuple[str, str, int] | None = None
    start = 0.0
    parts = [np.empty(0, np.float32)]
    missing = round(seconds * RATE)
    for number, packet in enumerate(container.demux(stream)):
        checkpoint()
        if missing <= 0 or number >= seconds * _MAX_PACKETS_PER_SECOND:
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            # What a stream is may change on its way, which a resampler does not take.
            if resampler is None or kind != (frame.format.name, frame.layout.name, frame.sample_rate):
                kind = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
            if len(parts) == 1:
                start = float(frame.time or 0)
            for resampled in resampler.resample(frame):
                parts.append(resampled.to_ndarray()[0][:missing])
                missing -= parts[-1].size
    # Decoders make numbers that are none of damaged data, and resamplers spread them.
    return Piece(start, np.nan_to_num(np.concatenate(parts), copy=False))
