"""Recordings of songs, put to the engine."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.engines.music.recordings import mixed, mp4, part, pink
from bench.engines.music.songs import RATE, Samples, duration, excerpt
from gateway.engines.music import MusicEngine, MusicIndex
from gateway.engines.music.landmarks import query_landmarks
from gateway.engines.music.matcher import best_alignment
from gateway.engines.music.recording import pieces
from gateway.engines.steps import never_cancelled

Condition = tuple[str, int | None]
"""What the music is mixed with, and how many decibels louder it is."""


@dataclass(frozen=True)
class Trial:
    """A recording of `song`, and what was recognised in it (empty: nothing).

    `cpu`: seconds besides decoding, where they were taken."""

    song: str
    condition: Condition
    seconds: int
    recognised: str
    confidence: float
    cpu: float | None

    @property
    def right(self) -> bool:
        """Whether the song was named."""
        return self.recognised == self.song


def trials(
    index: MusicIndex,
    songs: Iterable[Path],
    conditions: Sequence[Condition],
    speeches: list[Samples],
    *,
    each: int,
    seed: int,
    lengths: Sequence[int] = (10, 15, 20),
) -> Iterator[Trial]:
    """`each` excerpts of every song, each under every condition; length in seconds, place, speech and noise by dice."""
    engine = MusicEngine(index)
    dice = np.random.default_rng(seed)
    for path in songs:
        for number in range(each):
            music = _audible(path, int(dice.choice(lengths)), dice)
            for condition in conditions:
                recording = mp4(_recorded(music, condition, speeches, dice), pictures=number % 2 == 1)
                match = engine.recognise(recording)
                yield Trial(
                    song_name(path),
                    condition,
                    round(music.size / RATE),
                    match.name if match else "",
                    match.confidence if match else 0.0,
                    _cpu(index, recording) if number == 0 else None,
                )


def song_name(path: Path) -> str:
    """A name that only this song has."""
    return f"{path.parent.name}/{path.stem}"


def _audible(path: Path, seconds: int, dice: np.random.Generator) -> Samples:
    """An excerpt from anywhere that is not silent."""
    while True:
        music = excerpt(path, float(dice.uniform(0, max(0.0, duration(path) - seconds))), seconds)
        if music.size and np.mean(music**2) > 1e-5:
            return music


def _recorded(music: Samples, condition: Condition, speeches: list[Samples], dice: np.random.Generator) -> Samples:
    kind, decibels = condition
    if decibels is None:
        return music
    speech = speeches[dice.integers(len(speeches))]
    return mixed(music, part(speech, music.size, dice) if kind == "speech" else pink(music.size, dice), decibels)


def _cpu(index: MusicIndex, recording: bytes) -> float:
    """Seconds of one thread for the first piece."""
    piece = next(pieces(recording, never_cancelled))
    started = time.thread_time()
    best_alignment(index, query_landmarks(piece.samples))
    return time.thread_time() - started
