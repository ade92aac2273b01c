"""The indexes that recordings are looked up in."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.engines.music.trials import song_name
from gateway.engines.music.index import MusicIndex
from gateway.engines.music.landmarks import FRAME_SECONDS, RATE, Landmarks, frame_count, song_landmarks
from gateway.engines.music.song import read_song
from gateway.engines.music.writer import IndexWriter


@dataclass(frozen=True)
class Catalogue:
    """An index, what of it took how many seconds of CPU, and the landmarks in it."""

    path: Path
    index: MusicIndex
    hours: float
    decoding: float
    indexing: float
    landmarks: list[Landmarks]


def catalogue_of(songs: Iterable[Path], path: Path) -> Catalogue:
    """Index these songs."""
    seconds, decoding, found = 0.0, 0.0, []
    started = time.process_time()
    with IndexWriter(path) as writer:
        for song in songs:
            before = time.process_time()
            samples = read_song(song).samples
            decoding += time.process_time() - before
            landmarks = song_landmarks(samples)
            writer.add(song_name(song), landmarks, frame_count(samples))
            found.append(landmarks)
            seconds += samples.size / RATE
        writer.finish()
    indexing = time.process_time() - started - decoding
    return Catalogue(path, MusicIndex.open(path), seconds / 3600, decoding, indexing, found)


def large_catalogue(known: Catalogue, path: Path, songs: int, seconds: float = 60.0) -> MusicIndex:
    """An index of `known` and, up to so many songs, of minutes that do not exist: real ones, transposed by a random interval.

    So their landmarks are as frequent and as alike as those of music are.
    """
    dice = np.random.default_rng(0)
    frames = round(seconds / FRAME_SECONDS)
    with IndexWriter(path) as writer:
        for name, landmarks in zip(known.index.songs, known.landmarks, strict=True):
            writer.add(name, landmarks, int(landmarks.frames.max()) + 1)
        for number in range(songs - len(known.landmarks)):
            writer.add(
                f"invented {number}", _transposed(known.landmarks[dice.integers(len(known.landmarks))], frames, dice), frames
            )
        writer.finish()
    return MusicIndex.open(path)


def _transposed(song: Landmarks, frames: int, dice: np.random.Generator) -> Landmarks:
    start = int(dice.integers(0, max(1, int(song.frames.max()) - frames)))
    shift = int(dice.choice([-1, 1])) * int(dice.integers(3, 60))
    bins = np.stack([song.hashes >> 15, song.hashes >> 6 & 511]).astype(np.int64) + shift
    kept = (song.frames >= start) & (song.frames < start + frames) & (bins.min(0) >= 8) & (bins.max(0) < 500)
    hashes = bins[0] << 15 | bins[1] << 6 | (song.hashes & 63)
    return Landmarks(hashes[kept].astype(np.uint32), (song.frames[kept] - start).astype(np.uint32))
