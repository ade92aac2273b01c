"""Landmarks: pairs of spectral peaks, as hashes that noise and coding leave alone.

After Wang, "An industrial-strength audio search algorithm" (ISMIR 2003), section 2: peaks of a spectrogram that stand out among
their neighbours, each paired with some that follow it; frequency, frequency and distance in time make the hash.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

RATE: Final = 8000
"""Samples a second."""

HOP: Final = 256
"""Samples from one frame of the spectrogram to the next."""

FRAME_SECONDS: Final = HOP / RATE

HASH_BITS: Final = 24

REVISION: Final = 1
"""To be raised with every change here that changes hashes: those of an older index would no longer be found."""

_FRAME: Final = 1024
_BINS: Final = _FRAME // 2
_BLOCK: Final = 2048
"""Frames whose spectra are held in memory at once."""

_NEAR_FRAMES, _NEAR_BINS = 3, 8
"""A peak is the largest value within this distance (0.1 s, 63 Hz)."""

_LOWEST_BIN, _END_BIN = 8, 500
"""62 Hz to 3.9 kHz: below is hum, above is where recordings are cut off."""

_FLOOR_DB: Final = -40.0
"""Power below which there is silence: about 88 dB under a tone of full scale."""

_SEGMENT: Final = 8
"""Frames (0.26 s) of which the strongest peaks are kept. So short because noise comes and goes: where a word hides the loudest
beat of a second, what there was between words has to do."""

_DISTANCE: Final = (2, 63)
"""Least and greatest frames between the two peaks of a pair."""

_REACH: Final = 128
"""Greatest distance of their bins."""

_FOLLOWERS: Final = 64
"""How many of the peaks that follow are looked at: more than two seconds hold."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Pairs of peaks. `hashes`: N uint32 below 2^24; `frames`: N uint32, the frame of each pair's first peak."""

    hashes: npt.NDArray[np.uint32]
    frames: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Density:
    peaks_per_second: int
    pairs_per_peak: int


_OF_SONG: Final = _Density(16, 10)
# Of what is played among noise more is looked at: some of the peaks are the noise's, and cost time, but no space in the index.
_OF_QUERY: Final = _Density(40, 25)


def song_landmarks(samples: Samples) -> Landmarks:
    """The landmarks that an index keeps of a song. `samples`: mono, 8 kHz, -1 to 1. About 150 a second."""
    return _pairs(*_peaks(samples, _OF_SONG), _OF_SONG)


def query_landmarks(samples: Samples) -> Landmarks:
    """The landmarks to look up for a recording. `samples` as above.

    Taken twice, the second time half a hop later: frames of the recording and of the song never begin at the same time.
    """
    first, second = (_pairs(*_peaks(samples[start:], _OF_QUERY), _OF_QUERY) for start in (0, HOP // 2))
    return Landmarks(np.concatenate([first.hashes, second.hashes]), np.concatenate([first.frames, second.frames]))


def frame_count(samples: Samples) -> int:
    """How many frames the spectrogram of `samples` has."""
    return max(0, (samples.size - _FRAME) // HOP + 1)


def _peaks(samples: Samples, density: _Density) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Frames and bins of the strongest peaks, in order of frames."""
    count = frame_count(samples)
    blocks = [_local_peaks(samples, start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
    if not blocks:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    frames, bins, levels = (np.concatenate(column) for column in zip(*blocks, strict=True))
    segments = frames // _SEGMENT
    order = np.lexsort((-levels, segments))
    ranks = np.arange(order.size) - np.searchsorted(segments, segments)  # `segments` is in order before and after
    kept = np.sort(order[ranks < round(density.peaks_per_second * _SEGMENT * FRAME_SECONDS)])
    return frames[kept], bins[kept]


def _local_peaks(
    samples: Samples, start: int, end: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Frames, bins and levels of what stands out in the frames `start` to `end`."""
    first = max(0, start - _NEAR_FRAMES)
    levels = _spectrogram(samples[first * HOP : (end + _NEAR_FRAMES - 1) * HOP + _FRAME])
    largest = cv2.dilate(levels, np.ones((2 * _NEAR_FRAMES + 1, 2 * _NEAR_BINS + 1), np.uint8))
    stands_out = (levels >= largest) & (levels > _FLOOR_DB)
    stands_out[:, :_LOWEST_BIN] = False
    stands_out[:, _END_BIN:] = False
    frames, bins = np.nonzero(stands_out[start - first : end - first])
    return frames + start, bins, levels[frames + (start - first), bins]


def _spectrogram(samples: Samples) -> npt.NDArray[np.float32]:
    """Power in dB, frames × 512."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::HOP]
    spectrum = np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)[:, :_BINS]
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    levels: npt.NDArray[np.float32] = 10 * np.log10(power + np.float32(1e-9))
    return levels


def _pairs(frames: npt.NDArray[np.int64], bins: npt.NDArray[np.int64], density: _Density) -> Landmarks:
    """Each peak with the first that follow it within reach."""
    taken = np.zeros(frames.size, np.int64)
    firsts: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    seconds: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for step in range(1, min(_FOLLOWERS, frames.size)):
        distance = frames[step:] - frames[:-step]
        paired = (distance >= _DISTANCE[0]) & (distance <= _DISTANCE[1])
        paired &= (np.abs(bins[step:] - bins[:-step]) <= _REACH) & (taken[:-step] < density.pairs_per_peak)
        (first,) = np.nonzero(paired)
        taken[first] += 1
        firsts.append(first)
        seconds.append(first + step)
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    hashes = bins[first] << 15 | bins[second] << 6 | frames[second] - frames[first]
    return Landmarks(hashes.astype(np.uint32), frames[first].astype(np.uint32))
