"""Melodies, and recordings of them. Nothing here is of the code under test."""

import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from gateway.engines.music import MusicIndex
from gateway.engines.music.landmarks import RATE, frame_count, song_landmarks
from gateway.engines.music.writer import IndexWriter

Samples = npt.NDArray[np.float32]


def melody(seed: int, seconds: float) -> Samples:
    """Two voices of random notes with three harmonics: no other seed plays the same. Mono, 8 kHz."""
    dice = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * RATE))
    for length in (0.21, 0.34):
        time = np.arange(round(length * RATE)) / RATE
        for at in range(0, samples.size - time.size, time.size):
            frequency = 440 * 2 ** (dice.integers(-24, 18) / 12)
            tone = sum(np.sin(2 * np.pi * frequency * number * time) / number for number in (1, 2, 3))
            samples[at : at + time.size] += tone * np.exp(-4 * time / length)
    return (0.2 * samples).astype(np.float32)


def noise(seed: int, size: int) -> Samples:
    """White noise of the power that melodies have, about."""
    return (0.15 * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)


def encoded(samples: Samples, *, codec: str = "aac", form: str = "mp4", pictures: bool = False, **tags: str) -> bytes:
    """The bytes of a recording, if wanted with a track of tiny grey pictures, one a second."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        container.metadata.update(tags)
        screen = container.add_stream("mpeg4", rate=1, width=32, height=32, pix_fmt="yuv420p") if pictures else None
        stream = container.add_stream(codec, rate=RATE, layout="mono")
        if screen is not None:
            for _ in range(samples.size // RATE):
                container.mux(screen.encode(av.VideoFrame.from_ndarray(np.full((32, 32), 128, np.uint8), format="gray")))
            container.mux(screen.encode(None))
        frame = av.AudioFrame.from_ndarray(np.round(samples[np.newaxis] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def written_index(path: Path, songs: dict[str, Samples]) -> MusicIndex:
    """An index of these songs, opened."""
    with IndexWriter(path) as writer:
        for name, samples in songs.items():
            writer.add(name, song_landmarks(samples), frame_count(samples))
        writer.finish()
    return MusicIndex.open(path)
