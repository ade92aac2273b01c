import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from gateway import _native
from gateway.engines.picture import decoded, encoded
from gateway.errors import GatewayError, Reason


def file_of(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture
def halves() -> Image.Image:
    """Red on the left, blue on the right, 60 × 40."""
    picture = Image.new("RGB", (60, 40), (255, 0, 0))
    picture.paste((0, 0, 255), (30, 0, 60, 40))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_lossless_pictures_are_decoded_exactly(halves, kind) -> None:
    pixels, facts = decoded(file_of(halves, kind), max_side=4096, max_pixels=10**6)
    assert np.array_equal(pixels, np.asarray(halves))
    assert (facts.width, facts.height, facts.orientation) == (60, 40, 1)


def test_pixels_come_upright(halves) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left becomes the top
    pixels, facts = decoded(file_of(halves, "JPEG", exif=exif, quality=100), max_side=4096, max_pixels=10**6)
    assert pixels.shape == (60, 40, 3)
    assert (facts.width, facts.height, facts.orientation) == (40, 60, 1)
    assert np.abs(pixels[5, 20].astype(int) - (254, 0, 0)).max() < 20
    assert np.abs(pixels[55, 20].astype(int) - (0, 0, 254)).max() < 20


def test_transparency_is_on_white() -> None:
    pixels, _ = decoded(file_of(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG"), max_side=64, max_pixels=10**6)
    assert (pixels == 255).all()


def test_ink_and_deep_samples_are_converted() -> None:
    ink, _ = decoded(file_of(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"), max_side=64, max_pixels=10**6)
    assert ink[10, 10, 0] - int(ink[10, 10, 1]) > 90
    deep, _ = decoded(file_of(Image.new("I;16", (20, 20), 0x8000), "PNG"), max_side=64, max_pixels=10**6)
    assert abs(int(deep[10, 10, 0]) - 128) <= 1


def test_a_profile_is_applied() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain, _ = decoded(file_of(Image.new("RGB", (20, 20), (10, 200, 30)), "PNG"), max_side=64, max_pixels=10**6)
    tagged, _ = decoded(
        file_of(Image.new("RGB", (20, 20), (10, 200, 30)), "PNG", icc_profile=lab.tobytes()), max_side=64, max_pixels=10**6
    )
    assert np.abs(plain.astype(int) - tagged.astype(int)).max() <= 1


@pytest.mark.parametrize(("size", "fitted"), [((1000, 500), (200, 100)), ((4000, 3), (200, 1)), ((150, 200), (150, 200))])
def test_what_is_larger_is_fitted(size, fitted) -> None:
    pixels, facts = decoded(file_of(Image.new("RGB", size, (9, 90, 200)), "PNG"), max_side=200, max_pixels=10**8)
    assert pixels.shape[1::-1] == fitted == (facts.width, facts.height)
    assert np.abs(pixels.astype(int) - (9, 90, 200)).max() <= 1


def test_too_many_pixels_are_not_decoded(halves) -> None:
    with pytest.raises(GatewayError) as caught:
        decoded(file_of(halves, "PNG"), max_side=4096, max_pixels=2399)
    assert caught.value.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


@pytest.mark.parametrize(("given", "written"), [("jpeg", "jpeg"), ("webp", "jpeg"), ("png", "png"), ("bmp", "png")])
def test_what_lost_loses_little_and_what_did_not_nothing(halves, given, written) -> None:
    pixels = np.asarray(halves)
    data, facts = encoded(pixels, given)
    assert (facts.format, facts.width, facts.height, facts.size_bytes) == (written, 60, 40, len(data))
    assert Image.open(io.BytesIO(data)).format == written.upper()
    difference = np.abs(pixels_of(data).astype(int) - pixels).max()
    assert difference == 0 if written == "png" else difference <= 6  # chroma is whole: the seam between colours stays


def test_views_that_are_not_contiguous_are_written_as_seen(halves) -> None:
    turned = np.asarray(halves)[:, ::-1]
    data, _ = encoded(turned, "png")
    assert np.array_equal(pixels_of(data), turned)


@pytest.mark.parametrize(
    ("pixels", "width", "height", "options"),
    [
        (bytes(11), 2, 2, {"format": "png"}),
        (b"", 0, 0, {"format": "png"}),
        (b"", 0, 3, {"format": "jpeg"}),
        (bytes(12), 2, 2, {"format": "gif"}),
        (bytes(12), 2, 2, {"format": "jpeg", "quality": 0}),
        (bytes(12), 2, 2, {"format": "jpeg", "quality": 101}),
        (bytes(3 * 65536), 65536, 1, {"format": "jpeg"}),
    ],
)
def test_the_core_refuses_what_it_cannot_write(pixels, width, height, options) -> None:
    with pytest.raises(ValueError, match=r"."):
        _native.encode(pixels, width, height, **options)
