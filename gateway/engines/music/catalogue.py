"""Building the index of a folder of songs."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.engines.music.landmarks import RATE, frame_count, song_landmarks
from gateway.engines.music.song import read_song
from gateway.engines.music.writer import IndexWriter
from gateway.engines.steps import Checkpoint, never_cancelled

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file whose song is in the index now."""

    path: Path
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not in the index, and why not."""

    path: Path
    why: str


def build_index(
    folder: Path, out: Path, progress: Callable[[Indexed | Skipped], None], checkpoint: Checkpoint = never_cancelled
) -> None:
    """Index every song under `folder`, in order of names, and write `out`, replacing what is there once all is done.

    `progress` is told of every file. What is no recording, or cannot be read, is skipped and logged; so is what sounds exactly as
    an earlier one. Raises `OSError` if the folder cannot be read or `out` not be written, and `ValueError` if there is no song.
    """
    heard: dict[bytes, Path] = {}
    with IndexWriter(out) as writer:
        for path in _files(folder):
            done = _add(path, writer, heard, checkpoint)
            if isinstance(done, Skipped):
                _LOG.warning("%s is not indexed: %s", path, done.why)
            progress(done)
        writer.finish()


def _files(folder: Path) -> Iterator[Path]:
    """All files under `folder`, hidden ones left out, in an order that depends on their names alone."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _add(path: Path, writer: IndexWriter, heard: dict[bytes, Path], checkpoint: Checkpoint) -> Indexed | Skipped:
    if not path.is_file():  # a pipe would be waited for
        return Skipped(path, "it is no file")
    try:
        song = read_song(path, checkpoint)
    except (OSError, ValueError) as error:  # FFmpeg's errors are of either kind
        return Skipped(path, getattr(error, "strerror", None) or str(error))
    landmarks = song_landmarks(song.samples)
    if not landmarks.hashes.size:
        return Skipped(path, "it is too short, or silent")
    digest = hashlib.sha256(landmarks.hashes.tobytes() + landmarks.frames.tobytes()).digest()
    first = heard.setdefault(digest, path)
    if first is not path:
        return Skipped(path, f"it sounds exactly as {first}")
    writer.add(song.name, landmarks, frame_count(song.samples))
    return Indexed(path, song.name, song.samples.size / RATE)
