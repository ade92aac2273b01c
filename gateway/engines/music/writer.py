"""Writes an index of music, of any number of songs, in bounded memory."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from gateway.engines.music.index import MAX_PLACES, SONG_GAP, Layout
from gateway.engines.music.landmarks import HASH_BITS, Landmarks

_SHARES: Final = 64
"""Postings are kept in so many files while songs come in, by their hashes, and sorted one file at a time."""

_BUCKET_POSTINGS: Final = 16
"""Postings a bucket, as far as the table's size of 2^8 to 2^16 buckets allows it."""


class IndexWriter:
    """Collects songs in a folder of its own beside the index, which replaces the one that is there when all is written.

    Use: `with IndexWriter(path) as writer: writer.add(…); writer.finish()`. Without `finish` nothing is left.
    """

    def __init__(self, path: Path) -> None:
        """Begin. Raises `OSError` if nothing can be written beside `path`."""
        self._path = path
        self._names: list[bytes] = []
        self._lengths: list[int] = []
        self._end = 0
        self._counts = np.zeros(_SHARES, np.int64)
        with ExitStack() as opened:
            self._folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent)))
            self._shares = [opened.enter_context((self._folder / str(share)).open("w+b")) for share in range(_SHARES)]
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.close()

    def add(self, name: str, landmarks: Landmarks, frames: int) -> None:
        """Add a song of so many frames. Raises `ValueError` if the index would hold more than the format can count."""
        start = self._end + SONG_GAP
        if start + frames >= MAX_PLACES or self._counts.sum() + landmarks.hashes.size >= MAX_PLACES:
            msg = "an index holds at most 2^32 landmarks, and 38 000 hours of music"
            raise ValueError(msg)
        self._end = start + frames
        self._names.append(name.encode())
        self._lengths.append(frames)
        # One number each, which sorts by hash, then by place.
        postings = landmarks.hashes.astype(np.uint64) << 32 | (landmarks.frames.astype(np.uint64) + start)
        shares = landmarks.hashes * np.uint64(_SHARES) >> HASH_BITS
        for share in np.unique(shares):
            mine = postings[shares == share]
            self._counts[share] += mine.size
            self._shares[share].write(mine.tobytes())

    def finish(self) -> None:
        """Write the index. Raises `OSError`, and `ValueError` if there is no song."""
        if not self._names:
            msg = "there is no song to index"
            raise ValueError(msg)
        total = int(self._counts.sum())
        layout = Layout(
            songs=len(self._names),
            bucket_bits=min(max((total // _BUCKET_POSTINGS).bit_length(), 8), 16),
            postings=total,
            name_bytes=sum(map(len, self._names)),
        )
        buckets = np.zeros(2**layout.bucket_bits + 1, np.int64)
        written = self._folder / "index"
        with written.open("wb") as file:
            file.truncate(layout.file_bytes)
            low_at, places_at = (part.start for part in layout.parts()[4:])
            for share in self._shares:
                share.flush()
                postings = np.sort(np.fromfile(share.name, np.uint64))
                hashes = postings >> 32
                bucket, count = np.unique(hashes >> layout.low_bits, return_counts=True)
                buckets[bucket + 1] = count  # all of it: there are fewer shares than buckets
                file.seek(low_at)
                low_at += file.write((hashes & (2**layout.low_bits - 1)).astype("<u2").tobytes())
                file.seek(places_at)
                places_at += file.write((postings & (MAX_PLACES - 1)).astype("<u4").tobytes())
            directory = self._directory(np.cumsum(buckets))
            file.seek(0)
            file.write(layout.header(directory) + directory)
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._path)

    def _directory(self, buckets: npt.NDArray[np.int64]) -> bytes:
        lengths = np.array(self._lengths, "<u4").tobytes()
        ends = np.cumsum([len(name) for name in self._names]).astype("<u4").tobytes()
        parts = (lengths, ends, b"".join(self._names), buckets.astype("<u4").tobytes())
        return b"".join(part + bytes(-len(part) % 8) for part in parts)
