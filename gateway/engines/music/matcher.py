"""Which song of an index a recording's landmarks are of, and from where on (Wang 2003, section 2.3).

Landmarks of a recording that are found in a song, all at the same distance in time, agree on that song and distance. Chance makes
some agree, too, and more so if they are of the same moment: a drum, or a chord, that two songs share is many landmarks. So
what counts is how many agree in each second, as its square root, summed over the seconds. Music of few notes and a strict beat
agrees by chance at many distances alike, so an alignment also has to stand out from the next one elsewhere.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.music.index import MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, Landmarks

_MAX_POSTINGS: Final = 500_000
"""Postings that are looked at, those of the rarest hashes first: bounds time and memory, and what is everywhere tells little."""

_CANDIDATES: Final = 64
"""Alignments that are looked at closely: those with the most postings."""

_ELSEWHERE: Final = 4
"""Frames (0.1 s): alignments this close are one, blurred."""

_RIVALRY: Final = 0.6
"""Part of the next alignment's strength that is taken off. Not all of it: what repeats itself exactly is still to be found."""

_SECOND: Final = round(1 / FRAME_SECONDS)
"""Frames."""

_NEEDED, _NEEDED_A_SECOND = 5.2, 0.42
"""Strength that chance does not reach, and how it grows with the recording's length: 9.4 at ten seconds, 13.6 at twenty."""

_AT_NEEDED: Final = math.log(4)
"""There the odds are four to one, and …"""

_SLOPE: Final = 7.0
"""… with twice the strength 2^7 times as good."""

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A song as it would have to be playing: `offset` frames of it had passed when the recording began; may be negative.

    `strength`: the sum of the square roots of how many different hashes agree in each second of the recording, less part of the
    same of the next alignment elsewhere. Different hashes, because a held note says the same over and over.
    """

    song: int
    offset: int
    strength: float


def best_alignment(index: MusicIndex, landmarks: Landmarks) -> Alignment | None:
    """The strongest alignment; None if the index has none of the hashes."""
    begins, places, hashes = _found(index, landmarks)
    if not begins.size:
        return None
    ascending, order = _sorted(begins)
    first = np.flatnonzero(np.diff(ascending, prepend=ascending[0] - 1))
    values = ascending[first]
    # The recording's frames lie between those of the song, so an alignment shows as either of two neighbours, or both.
    end = np.append(first[1:], begins.size)
    neighbour = np.append(values[1:] == values[:-1] + 1, False)
    end = np.where(neighbour, np.append(end[1:], begins.size), end)
    likeliest = _largest(end - first, _CANDIDATES)
    agreeing = [order[first[i] : end[i]] for i in likeliest]
    strengths = np.array([_strength(hashes[those], (places[those] - begins[those]) // _SECOND) for those in agreeing])
    best = strengths.argmax()
    at = likeliest[best]
    rival = strengths[np.abs(values[likeliest] - values[at]) > _ELSEWHERE].max(initial=0)
    song, start = index.song_at(int(places[order[first[at]]]))
    return Alignment(song=song, offset=int(values[at]) - start, strength=float(strengths[best] - _RIVALRY * rival))


def log_odds(strength: float, seconds: float) -> float:
    """How likely it is that an alignment of this strength with a recording of so many seconds is no chance: natural log odds.

    A logistic curve, fitted on music that is in the index (as loud as speech or noise, or fainter) and as much that is not.
    """
    return _AT_NEEDED + _SLOPE * math.log(max(strength, 0.1) / (_NEEDED + _NEEDED_A_SECOND * seconds))


def _sorted(begins: Places) -> tuple[Places, Places]:
    """`begins`, at most `_MAX_POSTINGS` of them, in ascending order, and where each stood; equal ones stay in order.

    Half the time of `argsort`: value and number are one key.
    """
    bits, least = _MAX_POSTINGS.bit_length(), begins.min()
    keys = ((begins - least) << bits) | np.arange(begins.size)
    keys.sort()
    return (keys >> bits) + least, keys & ((1 << bits) - 1)


def _largest(counts: Places, most: int) -> Places:
    """Where the `most` largest are, beginning with the largest; of equal ones, the first."""
    keys = counts * counts.size - np.arange(counts.size)
    found = np.argpartition(keys, -min(most, counts.size))[-most:]
    return np.asarray(found[np.argsort(-keys[found])], np.int64)


def _strength(hashes: npt.NDArray[np.uint32], moments: Places) -> float:
    _, different = np.unique(hashes, return_index=True)
    return float(np.sqrt(np.bincount(moments[different])).sum())


def _found(index: MusicIndex, landmarks: Landmarks) -> tuple[Places, Places, npt.NDArray[np.uint32]]:
    """Per posting of a landmark's hash: where the recording would begin, where the posting is, and the hash.

    The first two are places on the axis of all songs.
    """
    first, count = index.find(landmarks.hashes)
    rarest = np.argsort(count, kind="stable")
    used = rarest[(count[rarest] > 0) & (np.cumsum(count[rarest]) <= _MAX_POSTINGS)]
    first, count = first[used], count[used]
    landmark = np.repeat(used, count)
    within = np.arange(landmark.size) - np.repeat(np.cumsum(count) - count, count)
    places = index.places(np.repeat(first, count) + within)
    return places - landmarks.frames[landmark], places, landmarks.hashes[landmark]
