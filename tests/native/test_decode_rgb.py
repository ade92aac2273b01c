"""Decoded pixels, against Pillow."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from gateway import _native

LOSSY = {"JPEG": 1.0, "WEBP": 1.0}
"""Greatest mean difference from Pillow, in levels of 0 to 255: decoders differ in how they round and upsample."""


def expected(data: bytes) -> npt.NDArray[np.uint8]:
    """Pillow's pixels: upright, on white, in RGB."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode == "I;16":
        return np.stack([(np.asarray(image) // 257).astype(np.uint8)] * 3, axis=2)
    if image.mode == "CMYK":
        return np.asarray(image.convert("RGB"))
    rgba = image.convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB"))


def mean_difference(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_pixels_are_those_that_pillow_reads(file: bytes) -> None:
    info = _native.probe(file)
    is_lossy = info.format == "jpeg" or (info.format == "webp" and info.color == "ycbcr")
    difference = np.abs(_native.decode_rgb(file).astype(int) - expected(file).astype(int))
    if is_lossy:
        assert difference.mean() < LOSSY[info.format.upper()]
    else:
        # Compositing rounds differently by a level at most; opaque pixels are exact.
        assert difference.max() <= int(info.has_alpha)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(small_jpeg: Callable[[int], bytes], orientation: int) -> None:
    data = small_jpeg(orientation)
    assert mean_difference(_native.decode_rgb(data), expected(data)) < LOSSY["JPEG"]


def test_an_image_too_small_for_the_service_is_decoded(encode: Callable[..., bytes]) -> None:
    pixels = _native.decode_rgb(encode(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG"))
    assert pixels.tolist() == [[[1, 2, 3]]]


def test_the_array_is_the_decoders_own_memory(file: bytes) -> None:
    pixels = _native.decode_rgb(file)
    owner = pixels
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    # NumPy keeps the decoder's buffer alive; it did not allocate one of its own.
    assert owner.base is not None
    assert not owner.flags.owndata
    assert pixels.flags.c_contiguous


def test_an_image_above_the_budget_is_refused_unread(encode: Callable[..., bytes]) -> None:
    with pytest.raises(_native.ImageError) as caught:
        _native.decode_rgb(encode(Image.new("1", (4097, 1)), "PNG"))
    assert (caught.value.kind, caught.value.allowed) == ("dimensions_out_of_range", "1 to 4096 px")


def test_damage_inside_compressed_data_is_an_image_error(files: dict[str, bytes]) -> None:
    data = bytearray(files["rgb.png"])
    data[data.index(b"IDAT") + 20] ^= 0xFF
    with pytest.raises(_native.ImageError) as caught:
        _native.decode_rgb(bytes(data))
    assert caught.value.kind == "damaged"
    assert str(caught.value) == "PNG file is damaged: its image data cannot be decoded"


def test_every_cut_is_an_image_error(file: bytes) -> None:
    for length in range(0, len(file) - 1, max(1, len(file) // 40)):
        with pytest.raises(_native.ImageError):
            _native.decode_rgb(file[:length])
