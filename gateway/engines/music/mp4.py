"""What an MP4 has to be like before FFmpeg's demuxer is given it.

The demuxer makes room for every sample that a file says it has, and a few bytes can say billions. So its tables are looked
over first: wherever their names stand outside the media data, whether or not a parser would find a table there.

It also compares each tag (title, artist …) with all that came before, which takes minutes for the tags that a few megabytes can
hold. Nobody asks for them here, so they are hidden from it.
"""

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from gateway.errors import GatewayError, Reason

MAX_SAMPLES: Final = 4_000_000
"""Samples (packets) of all tracks together: a day of sound. The demuxer takes some 40 bytes for each."""

MAX_TABLE_BYTES: Final = 32 << 20
"""Everything but the media data; four bytes a sample are usual."""

MAX_TABLES: Final = 100_000
"""A file in fragments of a second has one a second and track."""

_LEAST_PACKET: Final = 160
"""Where samples have no sizes of their own, the demuxer makes packets of at least so many."""

MAX_BOXES: Final = 100_000
"""Outermost boxes, of which a file in fragments has two of each, and boxes of tags."""

_TAGS: Final = (b"udta", b"ilst", b"----")
"""Boxes in which the demuxer finds tags."""

_COUNT_AT: Final = {b"stsz": 8, b"stz2": 8, b"trun": 4, b"stsc": 4, b"stco": 4, b"co64": 4}
"""Bytes from the end of a table's name to the number of its entries."""

_BOX: Final = struct.Struct(">I4s")
_CHUNK_RUN: Final = np.dtype(">u4, >u4, >u4")
"""An entry of `stsc`: first chunk, samples in each chunk, description."""


def check_mp4(media: bytes) -> None:
    """Raise `GatewayError` if `media` is no MP4, is cut short, or says that it has more samples than any recording."""
    if media[4:8] != b"ftyp":
        message = "the recording is not an MP4 file"
        raise GatewayError(Reason.MEDIA_UNSUPPORTED, message, field="content", allowed="MP4")
    boxes = _outside_media_data(media)
    if all(media[box.start : box.start + 4] != b"moov" for box in boxes):
        raise _damaged("it has no table of contents (moov)")
    if (size := sum(map(len, boxes))) > MAX_TABLE_BYTES:
        raise _too_much(f"{size} bytes besides the media data", f"{MAX_TABLE_BYTES} bytes")
    _check_tables(media, boxes)


def without_tags(media: bytes) -> io.BytesIO:
    """The file, once it has been checked, with its boxes of tags renamed to what is skipped (`free`). Raises `GatewayError`."""
    file = io.BytesIO(media)
    for number, (_, end) in enumerate(_found(media, _outside_media_data(media), _TAGS)):
        if number >= MAX_BOXES:
            raise _too_much(f"more than {MAX_BOXES} boxes of tags", f"{MAX_BOXES} boxes")
        file.seek(end - 4)
        file.write(b"free")
    file.seek(0)
    return file


def _outside_media_data(media: bytes) -> list[range]:
    """Where the outermost boxes but those of media data are, from their names on. Raises `GatewayError`."""
    boxes = []
    for number, box in enumerate(_boxes(media)):
        if number >= MAX_BOXES:
            raise _too_much(f"more than {MAX_BOXES} boxes", f"{MAX_BOXES} boxes")
        if media[box.start : box.start + 4] != b"mdat":
            boxes.append(box)
    return boxes


def _boxes(media: bytes) -> Iterator[range]:
    """The outermost boxes, from their names on. Zeros after the last one are left alone. Raises `GatewayError`."""
    at = 0
    while len(media) - at >= _BOX.size and media[at : at + _BOX.size].strip(b"\0"):
        size, _ = _BOX.unpack_from(media, at)
        header = _BOX.size
        if size == 1:
            size = int.from_bytes(media[at + 8 : at + 16])
            header = 16
        elif size == 0:
            size = len(media) - at
        if size < header:
            raise _damaged("the size of a box is wrong")
        if at + size > len(media):
            raise _damaged(f"it is cut short, {at + size - len(media)} bytes before the end of a box")
        yield range(at + 4, at + size)
        at += size


def _found(media: bytes, boxes: list[range], names: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """All names that stand in the boxes, and where each ends."""
    # Name by name: a regular expression of them all takes seconds of a hostile file, and lets no other thread run meanwhile.
    for box in boxes:
        for name in names:
            at = media.find(name, box.start, box.stop)
            while at >= 0:
                yield name, at + 4
                at = media.find(name, at + 4, box.stop)


def _check_tables(media: bytes, boxes: list[range]) -> None:
    samples, chunks, runs, longest_chunk = 0, 0, 0, 0
    for _ in _found(media, boxes, (b"cmov",)):
        raise _too_much("a compressed table of contents", "none")
    for tables, (name, end) in enumerate(_found(media, boxes, _COUNT_AT), start=1):
        # A size of 64 bits stands between a box's name and its contents.
        at = end + _COUNT_AT[name] + 8 * (media[end - 8 : end - 4] == b"\0\0\0\1")
        count = int.from_bytes(media[at : at + 4])
        if name == b"stsc":
            runs += count
        elif name in {b"stco", b"co64"}:
            chunks += count
        else:
            samples += count
        if tables > MAX_TABLES or max(samples, chunks, runs) > MAX_SAMPLES:
            raise _too_much(f"at least {max(samples, chunks, runs)} samples in {tables} tables", _ALLOWED)
        if name == b"stsc" and count <= (len(media) - at - 4) // _CHUNK_RUN.itemsize:
            entries = np.frombuffer(media, _CHUNK_RUN, count, at + 4)
            longest_chunk = max(longest_chunk, int(entries["f1"].max(initial=0)))
    if chunks * longest_chunk // _LEAST_PACKET > MAX_SAMPLES:
        raise _too_much(f"up to {chunks * longest_chunk} samples in {chunks} chunks", _ALLOWED)


_ALLOWED: Final = f"{MAX_SAMPLES} samples in {MAX_TABLES} tables"


def _damaged(why: str) -> GatewayError:
    return GatewayError(Reason.MEDIA_DAMAGED, f"the recording is damaged: {why}", field="content")


def _too_much(measured: str, allowed: str) -> GatewayError:
    message = f"the recording is not like one that is played: it has {measured}"
    return GatewayError(Reason.MEDIA_UNSUPPORTED, message, field="content", measured=measured, allowed=allowed)
