"""Files of the rarer kinds, good and bad, and ways to wait."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

PIXELS = 1 << 24
"""A budget that every honest picture here is within."""


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file of `picture`."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture in which no two neighbours, rows, columns or channels are alike."""
    width, height = size
    channels = [
        Image.linear_gradient("L").resize(size),
        Image.radial_gradient("L").resize(size),
        Image.linear_gradient("L").rotate(90).resize(size),
    ]
    assert channels[0].size == (width, height)
    return Image.merge("RGB", channels).convert(mode)


def tiff(tags: dict[int, tuple[int, ...]], pixels: bytes = b"", order: str = "<") -> bytes:
    """An uncompressed TIFF file made by hand, for what Pillow does not write. `tags` lack the strips, which are one."""
    long_tags = {256, 257, 273, 278, 279}
    entries = dict(tags)
    count = len(entries) + 2
    extra_at = 8 + 2 + 12 * count + 4
    extra = b""
    sizes = {tag: (4 if tag in long_tags else 2) for tag in entries}
    sized = {tag: struct.pack(f"{order}{len(v)}{'I' if sizes[tag] == 4 else 'H'}", *v) for tag, v in entries.items()}
    extra_size = sum(len(value) for value in sized.values() if len(value) > 4)
    sized[273] = struct.pack(f"{order}I", extra_at + extra_size)
    sized[279] = struct.pack(f"{order}I", len(pixels))
    directory = struct.pack(f"{order}H", count)
    for tag, value in sorted(sized.items()):
        kind, size = (4, 4) if tag in long_tags else (3, 2)
        directory += struct.pack(f"{order}HHI", tag, kind, len(value) // size)
        if len(value) > 4:
            directory += struct.pack(f"{order}I", extra_at + len(extra))
            extra += value
        else:
            directory += value.ljust(4, b"\0")
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}I", 8) + directory + bytes(4) + extra + pixels


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, data: bytes, *, color: int = 2, depth: int = 8, before: bytes = b"") -> bytes:
    """A PNG file made by hand; `data` is what IDAT decompresses to, `before` are chunks before it."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(data, 9)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + before + body


async def until(condition: Callable[[], bool]) -> None:
    """Let the world go on until `condition` holds, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - other processes do not set our events
            await asyncio.sleep(0.002)
