"""A picture of what is recognised: the pairs of peaks in a recording that the song has, too."""

from importlib.resources import files
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from gateway.engines.music import MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, HOP, Landmarks, Samples, query_landmarks
from gateway.engines.music.matcher import Alignment, best_alignment
from gateway.engines.music.recording import pieces
from gateway.engines.steps import never_cancelled

_ROOT: Final = Path(__file__).parents[3]
_RECORDING: Final = _ROOT / "examples" / "music" / "harbour-lights.mp4"
_PICTURE: Final = _ROOT / "docs" / "engines" / "music-landmarks.jpg"

_SECONDS: Final = 5
_BINS: Final = 256
_WIDER, _HIGHER = 6, 2
"""Pixels for a frame and for a bin."""

_SHOWN: Final = 30

_FOUND: Final = (0, 140, 255)  # orange, as BGR
_OTHER: Final = (150, 110, 60)


def draw() -> str:
    """Write the picture of the shipped recording, and return the Markdown that shows it."""
    index = MusicIndex.open(Path(str(files("gateway.engines") / "data" / "music" / "demo.index")))
    samples = next(pieces(_RECORDING.read_bytes(), never_cancelled)).samples
    landmarks = query_landmarks(samples)
    alignment = best_alignment(index, landmarks)
    assert alignment is not None
    agree = _agree(index, landmarks, alignment)
    picture = _spectrogram(samples)
    for colour, shown in ((_OTHER, np.flatnonzero(~agree)[::_SHOWN]), (_FOUND, np.flatnonzero(agree))):
        for hash_, frame in zip(landmarks.hashes[shown].tolist(), landmarks.frames[shown].tolist(), strict=True):
            ends = ((frame, hash_ >> 15), (frame + (hash_ & 63), hash_ >> 6 & 511))
            if ends[1][0] * FRAME_SECONDS < _SECONDS and max(ends[0][1], ends[1][1]) < _BINS:
                first, second = ((x * _WIDER, (_BINS - y) * _HIGHER) for x, y in ends)
                cv2.line(picture, first, second, colour, 1, cv2.LINE_AA)
    cv2.imwrite(str(_PICTURE), picture, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return (
        f"![pairs of peaks](../../../docs/engines/{_PICTURE.name})\n\n"
        f"The first {_SECONDS} s of `examples/music/harbour-lights.mp4`, up to 2 kHz; bright is loud. {agree.sum()} of the "
        f"{agree.size} pairs of peaks in it are in the song, too, at the same distance in time (orange; of the others, blue, "
        f"one in {_SHOWN} is shown)."
    )


def _agree(index: MusicIndex, landmarks: Landmarks, alignment: Alignment) -> np.ndarray:
    """Which landmarks the song has where the alignment says."""
    first, count = index.find(landmarks.hashes)
    agree = np.zeros(first.size, bool)
    for number in np.flatnonzero(count):
        for place in index.places(np.arange(first[number], first[number] + count[number])).tolist():
            song, start = index.song_at(place)
            begins = place - start - int(landmarks.frames[number])
            agree[number] |= song == alignment.song and begins in {alignment.offset, alignment.offset + 1}
    return agree


def _spectrogram(samples: Samples) -> np.ndarray:
    """Height × width × 3, low frequencies below."""
    count = round(_SECONDS / FRAME_SECONDS)
    frames = np.stack([samples[at * HOP : at * HOP + 1024] * np.hanning(1024) for at in range(count)])
    levels = 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1))[:, :_BINS] + 1e-3)
    grey = np.clip((levels - np.percentile(levels, 20)) * 5, 0, 255).astype(np.uint8).T[::-1]
    return cv2.cvtColor(cv2.resize(grey, None, fx=_WIDER, fy=_HIGHER, interpolation=cv2.INTER_NEAREST), cv2.COLOR_GRAY2BGR)
