"""The index of a catalogue: a file that is mapped into memory, not read.

All songs stand one after another on one axis of frames, with room between them. A posting is a place on that axis; postings are
sorted by hash. The upper bits of a hash choose a bucket, a table says where each begins, and within the bucket the other bits
are searched for. Little-endian, in this order, each part padded to eight bytes:

    header     see `_HEADER`; its checksum covers it and the directory, and so all that is trusted
    directory  frames of each song (uint32), end of each name (uint32), names (UTF-8), beginning of each bucket (uint32)
    postings   lower bits of the hashes (uint16), places (uint32)
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from gateway.engines.music.landmarks import HASH_BITS, REVISION

MAGIC: Final = b"\x89IGMUSIC"
VERSION: Final = 1

SONG_GAP: Final = 4096
"""Frames between two songs (131 s): longer than any query, so that where a query would begin says which song it is of."""

MAX_PLACES: Final = 2**32
"""Frames on the axis, and postings: both are counted in 32 bits."""

_HEADER: Final = struct.Struct("<8s 4I 2Q I 4x")
"""Magic, version, revision of the landmarks, songs, bucket bits, postings, bytes of names, CRC-32."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many of everything there are, and so where each part lies."""

    songs: int
    bucket_bits: int
    postings: int
    name_bytes: int

    @property
    def low_bits(self) -> int:
        """Bits of a hash that are not in the number of its bucket."""
        return HASH_BITS - self.bucket_bits

    def parts(self) -> tuple[range, ...]:
        """The bytes of the file that hold song lengths, name ends, names, buckets, lower bits and places."""
        table = 4 * (2**self.bucket_bits + 1)
        sizes = (4 * self.songs, 4 * self.songs, self.name_bytes, table, 2 * self.postings, 4 * self.postings)
        padded = accumulate((size + -size % 8 for size in sizes), initial=_HEADER.size)
        return tuple(range(at, at + size) for at, size in zip(padded, sizes, strict=False))

    @property
    def directory_end(self) -> int:
        """Where the postings begin."""
        return self.parts()[4].start

    @property
    def file_bytes(self) -> int:
        """Length of the file."""
        end = self.parts()[5].stop
        return end + -end % 8

    def header(self, directory: bytes) -> bytes:
        """The header that goes before `directory`."""
        crc = zlib.crc32(directory, zlib.crc32(self._packed(0)))
        return self._packed(crc)

    def _packed(self, crc: int) -> bytes:
        return _HEADER.pack(MAGIC, VERSION, REVISION, self.songs, self.bucket_bits, self.postings, self.name_bytes, crc)


class MusicIndex:
    """A catalogue that can be searched. Immutable and thread-safe; `MusicIndex.open` makes one."""

    def __init__(self, layout: Layout, file: npt.NDArray[np.uint8], names: tuple[str, ...]) -> None:
        """`file`: the bytes of an index that has been checked."""
        lengths, _, _, buckets, low, places = (file[part.start : part.stop] for part in layout.parts())
        self.songs: Sequence[str] = names
        """The names."""
        self._low_bits = layout.low_bits
        self._buckets = buckets.view("<u4").astype(np.int64)
        self._low = low.view("<u2")
        self._places = places.view("<u4")
        self._starts = song_starts(lengths.view("<u4").astype(np.int64))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map the index at `path`, which must not be changed in place from then on (replacing it by another file is safe).

        Raises `OSError` if it cannot be read, and `ValueError` that says what is wrong if it is no index, damaged, or of
        another version.
        """
        if path.stat().st_size < _HEADER.size:
            raise _not_usable(path, "it is too short to be an index of music")
        file: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, mode="r")
        magic, version, revision, songs, bucket_bits, postings, name_bytes, _ = _HEADER.unpack(file[: _HEADER.size].tobytes())
        if magic != MAGIC:
            raise _not_usable(path, "it is not an index of music")
        if (version, revision) != (VERSION, REVISION):
            msg = f"it is of version {version}.{revision}, and this program reads {VERSION}.{REVISION}; build it anew"
            raise _not_usable(path, msg)
        layout = Layout(songs, bucket_bits, postings, name_bytes)
        if not 8 <= bucket_bits <= 16 or not songs or postings >= MAX_PLACES or file.size != layout.file_bytes:
            raise _not_usable(path, "it is damaged or incomplete: its length is not what its header says")
        directory = file[_HEADER.size : layout.directory_end].tobytes()
        if layout.header(directory) != file[: _HEADER.size].tobytes():
            raise _not_usable(path, "it is damaged: its checksum is wrong")
        return cls(layout, file, _checked_names(path, layout, file))

    @property
    def postings(self) -> int:
        """How many landmarks of songs it holds."""
        return self._places.size

    def find(self, hashes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The first posting of each hash, and how many it has. `hashes`: N, below 2^24."""
        bucket = (hashes >> self._low_bits).astype(np.int64)
        begin, end = self._buckets[bucket], self._buckets[bucket + 1]
        wanted = (hashes & (2**self._low_bits - 1)).astype(np.int64)
        first = self._search(wanted, begin, end)
        return first, self._search(wanted + 1, first, end) - first

    def places(self, postings: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where on the axis of frames these postings are."""
        return self._places[postings].astype(np.int64)

    def song_at(self, place: int) -> tuple[int, int]:
        """The song that has a landmark at `place`, and the place where it begins."""
        song = max(0, int(np.searchsorted(self._starts, place, side="right")) - 1)
        return song, int(self._starts[song])

    def _search(
        self, wanted: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """The first posting from `begin` on whose lower bits are not below `wanted`; else `end`. Bisects all at once."""
        while (open_ := begin < end).any():
            middle = (begin + end) // 2
            below = open_ & (self._low[np.where(open_, middle, 0)] < wanted)
            begin, end = np.where(below, middle + 1, begin), np.where(open_ & ~below, middle, end)
        return begin


def song_starts(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where songs of so many frames begin on the axis. Room is left before the first one, too."""
    return np.cumsum(lengths + SONG_GAP) - lengths


def _checked_names(path: Path, layout: Layout, file: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """The names, once the directory has been found to be consistent: a right checksum can be computed for nonsense, too."""
    lengths, ends, names, buckets, _, _ = (file[part.start : part.stop] for part in layout.parts())
    name_ends = ends.view("<u4").astype(np.int64)
    begins = buckets.view("<u4").astype(np.int64)
    consistent = (
        (np.diff(name_ends, prepend=0) >= 0).all()
        and name_ends[-1] == layout.name_bytes
        and (np.diff(begins) >= 0).all()
        and begins[0] == 0
        and begins[-1] == layout.postings
        and (lengths.view("<u4").astype(np.int64) + SONG_GAP).sum() < MAX_PLACES
    )
    if not consistent:
        raise _not_usable(path, "it is damaged: its directory contradicts itself")
    text = names.tobytes()
    try:
        return tuple(text[a:b].decode() for a, b in zip([0, *name_ends[:-1].tolist()], name_ends.tolist(), strict=True))
    except UnicodeDecodeError as error:
        raise _not_usable(path, "it is damaged: a name is not UTF-8") from error


def _not_usable(path: Path, why: str) -> ValueError:
    return ValueError(f"{path}: {why}")
