"""Small pictures, and files made of them with Pillow, the oracle of these tests."""

import io
import struct
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw

SIZE = (48, 40)

Encode = Callable[..., bytes]


def picture(mode: str = "RGB") -> Image.Image:
    """A smooth gradient with a hard-edged, half-transparent ellipse in it."""
    ramp = Image.linear_gradient("L").resize(SIZE)
    image = Image.merge("RGBA", (ramp, ramp.rotate(180), Image.new("L", SIZE, 90), Image.new("L", SIZE, 255)))
    ImageDraw.Draw(image).ellipse((8, 8, 40, 30), fill=(20, 90, 220, 120))
    if mode == "I;16":
        return image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    return image.convert("RGB").quantize(12) if mode == "P" else image.convert(mode)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """`image` as a file of Pillow's format `kind`."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    """An EXIF block with nothing but an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def ycck_jpeg() -> bytes:
    """A CMYK file relabelled: libjpeg then takes its samples for YCCK, and so must we."""
    data = bytearray(encode(picture("CMYK"), "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def four_bit_bmp() -> bytes:
    """A bitmap of 16 colours in rows from the top down, which Pillow reads but does not write."""
    image = picture("P")
    width, height = image.size
    palette = bytes(image.getpalette() or ()).ljust(48, b"\0")[:48]
    colors = b"".join(palette[i : i + 3][::-1] + b"\0" for i in range(0, 48, 3))
    indices = image.tobytes()
    rows = bytes(high << 4 | low for high, low in zip(indices[::2], indices[1::2], strict=True))
    header = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 4, 0, 0, 0, 0, 16, 0)
    offset = 14 + len(header) + len(colors)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + colors + rows


def _files() -> dict[str, bytes]:
    def animated(kind: str, mode: str, **options: object) -> bytes:
        return encode(picture(mode), kind, save_all=True, append_images=[picture("L").convert(mode)], **options)

    return {
        "baseline.jpg": encode(picture(), "JPEG", quality=95),
        "progressive.jpg": encode(picture(), "JPEG", quality=95, progressive=True),
        "4:4:4.jpg": encode(picture(), "JPEG", quality=95, subsampling=0),
        "rgb.jpg": encode(picture(), "JPEG", quality=95, keep_rgb=True),
        "grey.jpg": encode(picture("L"), "JPEG", quality=95),
        "cmyk.jpg": encode(picture("CMYK"), "JPEG", quality=95),
        "ycck.jpg": ycck_jpeg(),
        "rgb.png": encode(picture(), "PNG"),
        "rgba.png": encode(picture("RGBA"), "PNG"),
        "grey.png": encode(picture("L"), "PNG"),
        "grey-alpha.png": encode(picture("LA"), "PNG"),
        "grey-16.png": encode(picture("I;16"), "PNG"),
        "1-bit.png": encode(picture("1"), "PNG"),
        "palette.png": encode(picture("P"), "PNG", bits=4),
        "palette-transparent.png": encode(picture("P"), "PNG", transparency=3),
        "animated.png": animated("PNG", "RGB"),
        "1-bit.bmp": encode(picture("1"), "BMP"),
        "4-bit.bmp": four_bit_bmp(),
        "8-bit.bmp": encode(picture("P"), "BMP"),
        "grey.bmp": encode(picture("L"), "BMP"),
        "24-bit.bmp": encode(picture(), "BMP"),
        "32-bit.bmp": encode(picture("RGBA"), "BMP"),
        "lossy.webp": encode(picture(), "WEBP", quality=95),
        "lossy-alpha.webp": encode(picture("RGBA"), "WEBP", quality=95),
        "lossless.webp": encode(picture(), "WEBP", lossless=True),
        "lossless-alpha.webp": encode(picture("RGBA"), "WEBP", lossless=True, exact=True),
        "animated.webp": animated("WEBP", "RGBA", lossless=True),
    }


FILES = _files()


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> bytes:
    """Each of the files in turn."""
    return FILES[request.param]


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """All the files, by name."""
    return FILES


@pytest.fixture(scope="session")
def small_jpeg() -> Callable[[int], bytes]:
    """A JPEG with the EXIF orientation asked for."""
    return lambda orientation: encode(picture(), "JPEG", quality=95, exif=exif(orientation))


@pytest.fixture(scope="session", name="encode")
def encode_fixture() -> Encode:
    """Pillow's encoders."""
    return encode
