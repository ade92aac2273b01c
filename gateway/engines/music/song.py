"""Songs for a catalogue: files of the operator's own, of any format that FFmpeg reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from gateway.engines.music.decode import decoded
from gateway.engines.music.landmarks import Samples
from gateway.engines.steps import Checkpoint, never_cancelled

LONGEST_SECONDS: Final = 4 * 3600.0
"""Of a longer one the rest is left out."""

_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Song:
    """A song. `samples`: mono, 8 kHz, -1 to 1."""

    name: str
    samples: Samples


def read_song(path: Path, checkpoint: Checkpoint = never_cancelled) -> Song:
    """Decode the sound of a file. The name is `artist - title` or `title`, as its tags say, or else the file's.

    Raises `OSError` or `ValueError` (FFmpeg's errors are either) if it cannot be read, `ValueError` if it holds no sound.
    """
    # Playlists are formats, too; they could name addresses.
    with av.open(path, "r", options={"protocol_whitelist": "file"}, metadata_errors="replace") as container:
        if not container.streams.audio:
            msg = "it holds no sound"
            raise ValueError(msg)
        stream = container.streams.audio[0]
        name = _name({**stream.metadata, **container.metadata}) or _one_line(path.stem)
        samples = decoded(container, stream, LONGEST_SECONDS, checkpoint).samples
    if not samples.size:
        msg = "none of its sound can be decoded"
        raise ValueError(msg)
    return Song(name, samples)


def _name(metadata: dict[str, str]) -> str:
    tags = {key.lower(): _one_line(value) for key, value in metadata.items()}
    return " - ".join(tags[key] for key in ("artist", "title") if tags.get(key)) if tags.get("title") else ""


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_NAME_CHARS]
