"""Pictures, the files made of them with Pillow or by hand, and what their pixels are by Pillow."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "dog.jpg"

Array = npt.NDArray[np.uint8]


def photo(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A photograph, scaled down so far that nothing of its coding is left in it."""
    with Image.open(PHOTO) as image:
        return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def lopsided(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """A picture that no turn and no mirror leaves as it is: red grows to the right, green downwards, blue is a corner."""
    width, height = size
    red = np.tile(np.linspace(0, 200, width), (height, 1))
    green = np.tile(np.linspace(0, 200, height)[:, None], (1, width))
    blue = np.where((red < 60) & (green < 60), 220, 30)
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def patches(colours: Sequence[tuple[int, int, int]], side: int = 32, columns: int = 8) -> Image.Image:
    """Squares of flat colour, in rows."""
    rows = -(-len(colours) // columns)
    image = Image.new("RGB", (columns * side, rows * side))
    for index, colour in enumerate(colours):
        left, top = index % columns * side, index // columns * side
        image.paste(colour, (left, top, left + side, top + side))
    return image


def patch_colours(pixels: Array, count: int, columns: int = 8) -> npt.NDArray[np.float64]:
    """The colour in the middle of each of the squares that `patches` draws, at whatever scale."""
    side = pixels.shape[1] / columns

    def middle(index: int) -> slice:
        return slice(round((index + 0.3) * side), round((index + 0.7) * side))

    squares = (pixels[middle(index // columns), middle(index % columns)] for index in range(count))
    return np.stack([square.reshape(-1, 3).mean(axis=0) for square in squares])


def noise(size: tuple[int, int], channels: int = 3) -> Image.Image:
    """What no encoder makes shorter."""
    shape = (size[1], size[0], channels)
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, shape, np.uint8))


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file of `picture`."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """The file as Pillow reads it."""
    return Image.open(io.BytesIO(data))


def pixels(data: bytes) -> Array:
    """RGB as stored, whatever the orientation."""
    return np.asarray(opened(data).convert("RGB"))


def upright(data: bytes) -> Image.Image:
    """RGB as shown."""
    return ImageOps.exif_transpose(opened(data)).convert("RGB")


def exif(orientation: int) -> Image.Exif:
    """An EXIF block with nothing but an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def resized(picture: Array, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """By Pillow's Lanczos filter, in numbers that are not rounded."""
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(picture, 2, 0)]
    return np.stack([np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes], axis=2).clip(0, 255)


def psnr(actual: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """In decibels."""
    difference = np.asarray(actual, float) - np.asarray(expected, float)
    return float(10 * np.log10(255**2 / max(np.square(difference).mean(), 1e-10)))


def largest_difference(actual: npt.ArrayLike, expected: npt.ArrayLike) -> int:
    """In levels."""
    return int(np.abs(np.asarray(actual, int) - np.asarray(expected, int)).max())


# JPEG by hand.


def resampled_jpeg(picture: Image.Image, factors: tuple[int, int], **options: object) -> bytes:
    """A JPEG whose luma has sampling factors that Pillow does not write: 1 × 2 (4:4:0) or 4 × 1 (4:1:1).

    Either has as many blocks in a coding unit as one that Pillow does write, so a picture is cut up and put together such
    that the blocks come in the right order, and then relabelled.
    """
    across, down = factors
    written = (2, 1) if across * down == 2 else (2, 2)
    columns, rows = picture.width // (8 * across), picture.height // (8 * down)
    picture = picture.crop((0, 0, columns * 8 * across, rows * 8 * down)).convert("YCbCr")
    luma, *chroma = (np.asarray(channel) for channel in picture.split())
    # Unit's row, block's row, row, unit's column, block's column, column.
    blocks = luma.reshape(rows, down, 8, columns, across, 8).transpose(0, 3, 1, 4, 2, 5)
    blocks = blocks.reshape(rows, columns, written[1], written[0], 8, 8).transpose(0, 2, 4, 1, 3, 5)
    luma = blocks.reshape(rows * written[1] * 8, columns * written[0] * 8)
    means = [plane.reshape(rows * 8, down, columns * 8, across).mean(axis=(1, 3)).round() for plane in chroma]
    chroma = [mean.astype(np.uint8).repeat(written[1], axis=0).repeat(written[0], axis=1) for mean in means]
    shuffled = Image.merge("YCbCr", [Image.fromarray(plane) for plane in (luma, *chroma)])
    data = bytearray(encoded(shuffled, "JPEG", subsampling=1 if across * down == 2 else 2, **options))
    frame = data.index(b"\xff\xc0\0\x11\x08")
    data[frame + 5 : frame + 9] = struct.pack(">HH", *picture.size[::-1])
    assert data[frame + 11] == written[0] << 4 | written[1]
    data[frame + 11] = across << 4 | down
    return bytes(data)


def without_adobe_segment(data: bytes) -> bytes:
    """A JPEG without its APP14."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


def cut_scan(data: bytes, share: float = 0.5) -> bytes:
    """A JPEG whose entropy-coded data ends early, but properly: its structure is whole."""
    scan = data.index(b"\xff\xda")
    end = scan + int((len(data) - scan) * share)
    while data[end - 1] == 0xFF:
        end -= 1
    return data[:end] + b"\xff\xd9"


# PNG by hand.


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(size: tuple[int, int], rows: bytes, *, color: int = 2, depth: int = 8, before: bytes = b"") -> bytes:
    """A file of `rows`, each behind its filter byte; `before` are chunks before the image data."""
    head = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + before
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def png_header(width: int, height: int) -> bytes:
    """A file of the smallest kind that is whole by its structure: its pixels are not there."""
    return png((width, height), b"")


def png_16(samples: npt.NDArray[np.uint16], color: int) -> bytes:
    """A file of 16 bits a sample: `samples` are rows, columns and channels."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return png((samples.shape[1], samples.shape[0]), rows, color=color, depth=16)


# Colour profiles by hand: ICC.1:2001-04, with primaries and white adapted to D50.

DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, payload in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(payload))
        body += payload.ljust(-(-len(payload) // 4) * 4, b"\0")
    illuminant = _fixed(0.9642) + _fixed(1) + _fixed(0.8249)
    head = struct.pack(">I4sI4s4s4s12s4s", offset + len(body), b"\0" * 4, 0x02400000, b"mntr", space, b"XYZ ", b"", b"acsp")
    return head.ljust(68, b"\0") + illuminant + bytes(48) + table + body


def _common_tags() -> dict[bytes, bytes]:
    name = b"made by hand\0"
    return {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text\0\0\0\0CC0\0",
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(0.9642) + _fixed(1) + _fixed(0.8249),
    }


def rgb_profile(primaries: Sequence[Sequence[float]], gamma: float) -> bytes:
    """A matrix profile."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = _common_tags()
    for letter, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + b"".join(map(_fixed, primary))
        tags[letter + b"TRC"] = curve
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """A profile of grey with a curve."""
    return _profile(b"GRAY", _common_tags() | {b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))})


def srgb_profile() -> bytes:
    """LittleCMS's."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """By LittleCMS."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), renderingIntent=intent)
