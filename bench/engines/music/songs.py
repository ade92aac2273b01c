"""Free game music from Debian's packages, split by song."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from bench.debian import unpacked

PACKAGES = (
    "asc-music",
    "btanks-data",
    "drascula-music",
    "extremetuxracer-data",
    "fretsonfire-songs-muldjord",
    "fretsonfire-songs-sectoid",
    "frozen-bubble-data",
    "hyperrogue-music",
    "marsshooter-data",
    "noiz2sa-data",
    "planetblupi-music-ogg",
    "singularity-music",
    "starfighter-data",
    "trackballs-data",
    "zaz-data",
)
"""Left out: packages with several versions of the same recordings (ardentryst, colobot-common-sounds, warzone2100-music)."""

PARTS = ("tuning, indexed", "tuning, foreign", "test, indexed", "test, foreign")

SHORTEST_SECONDS = 30.0

RATE = 44_100

Samples = npt.NDArray[np.float32]


def split() -> dict[str, list[Path]]:
    """The songs of at least half a minute, by part; which part a song is in depends on its name alone."""
    parts: dict[str, list[Path]] = {part: [] for part in PARTS}
    for package in PACKAGES:
        for path in _songs(unpacked(package)):
            name = f"{package}__{path.stem.replace(' ', '_')}"
            digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
            parts[PARTS[int(digest, 16) % len(PARTS)]].append(path)
    return parts


def _songs(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".ogg", ".mp3", ".flac"} and not path.is_symlink() and duration(path) >= SHORTEST_SECONDS:
            yield path


def duration(path: Path) -> float:
    """Seconds; 0 for what is no recording."""
    try:
        with av.open(path, metadata_errors="replace") as container:
            return (container.duration or 0) / av.time_base
    except av.FFmpegError:
        return 0.0


def excerpt(path: Path, start: float, seconds: float) -> Samples:
    """So much of a song, mono, at 44.1 kHz."""
    parts = [np.empty(0, np.float32)]
    missing = round(seconds * RATE)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(path, metadata_errors="replace") as container:
        container.seek(round(start * av.time_base))
        for frame in container.decode(audio=0):
            for resampled in resampler.resample(frame):
                parts.append(resampled.to_ndarray()[0][:missing])
                missing -= parts[-1].size
            if missing <= 0:
                break
    return np.concatenate(parts)
