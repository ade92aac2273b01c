"""Facts from headers, against Pillow."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from gateway import _native

# Name: encoding, bit depth, colour model, alpha, animation.
FACTS = {
    "baseline.jpg": ("baseline", 8, "ycbcr", False, False),
    "progressive.jpg": ("progressive", 8, "ycbcr", False, False),
    "4:4:4.jpg": ("baseline", 8, "ycbcr", False, False),
    "rgb.jpg": ("baseline", 8, "rgb", False, False),
    "grey.jpg": ("baseline", 8, "grey", False, False),
    "cmyk.jpg": ("baseline", 8, "cmyk", False, False),
    "ycck.jpg": ("baseline", 8, "ycck", False, False),
    "rgb.png": ("non-interlaced", 8, "rgb", False, False),
    "rgba.png": ("non-interlaced", 8, "rgb", True, False),
    "grey.png": ("non-interlaced", 8, "grey", False, False),
    "grey-alpha.png": ("non-interlaced", 8, "grey", True, False),
    "grey-16.png": ("non-interlaced", 16, "grey", False, False),
    "1-bit.png": ("non-interlaced", 1, "grey", False, False),
    "palette.png": ("non-interlaced", 4, "palette", False, False),
    "palette-transparent.png": ("non-interlaced", 4, "palette", True, False),
    "animated.png": ("non-interlaced", 8, "rgb", False, True),
    "1-bit.bmp": ("uncompressed", 1, "palette", False, False),
    "4-bit.bmp": ("uncompressed", 4, "palette", False, False),
    "8-bit.bmp": ("uncompressed", 8, "palette", False, False),
    "grey.bmp": ("uncompressed", 8, "palette", False, False),
    "24-bit.bmp": ("uncompressed", 8, "rgb", False, False),
    "32-bit.bmp": ("uncompressed", 8, "rgb", False, False),
    "lossy.webp": ("lossy", 8, "ycbcr", False, False),
    "lossy-alpha.webp": ("extended", 8, "ycbcr", True, False),
    "lossless.webp": ("lossless", 8, "rgb", False, False),
    "lossless-alpha.webp": ("lossless", 8, "rgb", True, False),
    "animated.webp": ("extended", 8, "rgb", True, True),
}


def test_format_and_size_are_those_that_pillow_reads(file: bytes) -> None:
    info = _native.probe(file)
    image = Image.open(io.BytesIO(file))
    assert (info.format.upper(), info.width, info.height) == (image.format, *image.size)
    assert info.is_animated == getattr(image, "is_animated", False)


def test_every_fact_is_read(files: dict[str, bytes]) -> None:
    infos = {name: _native.probe(data) for name, data in files.items()}
    facts = {name: (info.encoding, info.bit_depth, info.color, info.has_alpha, info.is_animated) for name, info in infos.items()}
    assert facts == FACTS


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_and_turns_the_display_size(encode: Callable[..., bytes], kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    info = _native.probe(encode(Image.new("RGB", (30, 20)), kind, exif=exif))
    assert info.orientation == orientation
    assert (info.width, info.height) == (30, 20)
    assert (info.display_width, info.display_height) == ((20, 30) if orientation >= 5 else (30, 20))


def test_info_is_a_value(files: dict[str, bytes]) -> None:
    info = _native.probe(files["rgb.png"])
    same = _native.probe(files["rgb.png"])
    assert info == same
    assert hash(info) == hash(same)
    assert repr(info) == (
        "ImageInfo(format='png', encoding='non-interlaced', width=48, height=40, bit_depth=8, color='rgb', orientation=1, "
        "has_alpha=False, is_animated=False)"
    )
    with pytest.raises(AttributeError):
        info.width = 1  # type: ignore[misc]  # which is the point
