"""Scaling down: the sizes, and how good the pictures are, against Pillow."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway import _native
from gateway.errors import Reason
from gateway.prepare import Convert, Operation, OutputFormat, PrepareOptions
from gateway.prepare.options import policy

from .conftest import names
from .pictures import (
    encoded,
    lopsided,
    opened,
    patch_colours,
    patches,
    photo,
    pixels,
    png_header,
    psnr,
    resampled_jpeg,
    resized,
)


@given(st.integers(15, 20_000), st.integers(15, 20_000), st.integers(15, 4096))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_the_wide_side_is_the_limit_and_the_narrow_one_keeps_the_ratio(width, height, max_side) -> None:
    wide, narrow = max(width, height), min(width, height)
    to = policy(Operation.TAGGING, PrepareOptions(max_side=max_side), 1 << 40)
    fitted = math.floor(Fraction(narrow * max_side, wide) + Fraction(1, 2))
    if wide <= max_side:
        plan = _native.plan(png_header(width, height), to)
        assert (plan.width, plan.height, plan.changes_pixels) == (width, height, False)
    elif fitted >= 15:
        plan = _native.plan(png_header(width, height), to)
        expected = (max_side, fitted) if width >= height else (fitted, max_side)
        assert (plan.width, plan.height, plan.changes_pixels) == (*expected, True)
    else:
        with pytest.raises(_native.ImageError) as caught:
            _native.plan(png_header(width, height), to)
        assert caught.value.kind == "cannot_fit"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
@pytest.mark.parametrize("output", [OutputFormat.JPEG, OutputFormat.PNG])
@pytest.mark.parametrize(
    ("size", "max_side", "expected"),
    [
        ((101, 67), 100, (100, 66)),  # 66.34
        ((67, 101), 50, (33, 50)),  # 33.17
        ((99, 33), 45, (45, 15)),
        ((64, 63), 63, (63, 62)),  # 62.02
        ((200, 101), 100, (100, 51)),  # 50.5
        ((61, 61), 17, (17, 17)),
    ],
)
def test_sizes_are_exact(prepare, kind, output, size, max_side, expected) -> None:
    image = prepare(encoded(lopsided(size), kind), max_side=max_side, output_format=output)
    assert opened(image.data).size == expected
    fit = image.actions[0]
    assert (fit.name, fit.detail) == ("fit", f"{size[0]}x{size[1]} px to {expected[0]}x{expected[1]} px")


def test_the_operations_limit_is_the_wide_side(prepare) -> None:
    image = prepare(encoded(Image.new("L", (4097, 300), 77), "PNG"))
    assert opened(image.data).size == (4096, 300)
    assert names(image) == ["fit"]


@pytest.mark.parametrize(
    ("size", "max_side", "fitted"),
    [((8192, 28), None, "4096x14"), ((16, 1000), 900, "14x900"), ((5000, 15), None, "4096x12"), ((30, 20), 15, "15x10")],
)
def test_what_would_be_too_thin_is_refused_saying_so(refusal, size, max_side, fitted) -> None:
    error = refusal(png_header(*size), max_side=max_side)
    assert error.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert error.__cause__.kind == "cannot_fit"
    assert error.message == (
        f"image is {size[0]}x{size[1]} px; scaled down to the greatest side of {max_side or 4096} px "
        f"it is {fitted} px, and its narrow side is under 15 px"
    )
    assert (error.measured, error.allowed) == (f"{size[0]}x{size[1]} px", f"15 to {max_side or 4096} px")


def test_what_is_barely_thick_enough_is_scaled(prepare) -> None:
    image = prepare(encoded(Image.new("L", (8192, 29), 7), "PNG"))
    assert opened(image.data).size == (4096, 15)


# Quality.

PHOTO = photo((800, 600))
LARGE = {
    "4:2:0": encoded(PHOTO, "JPEG", quality=92, subsampling=2),
    "4:2:2": encoded(PHOTO, "JPEG", quality=92, subsampling=1),
    "4:4:4": encoded(PHOTO, "JPEG", quality=92, subsampling=0),
    "4:4:0": resampled_jpeg(PHOTO, (1, 2), quality=92),
    "4:1:1": resampled_jpeg(PHOTO, (4, 1), quality=92),
    "rgb": encoded(PHOTO, "JPEG", quality=92, keep_rgb=True),
    "grey": encoded(PHOTO.convert("L"), "JPEG", quality=92),
    "progressive": encoded(PHOTO, "JPEG", quality=92, progressive=True),
    "restarts": encoded(PHOTO, "JPEG", quality=92, restart_marker_rows=1),
    "png": encoded(PHOTO, "PNG", compress_level=1),
    "grey-png": encoded(PHOTO.convert("L"), "PNG", compress_level=1),
    "bmp": encoded(PHOTO, "BMP"),
    "webp-lossy": encoded(PHOTO, "WEBP", quality=92, method=0),
    "webp-lossless": encoded(PHOTO, "WEBP", lossless=True, quality=0, method=0),
    "odd-jpeg": encoded(PHOTO.crop((1, 2, 778, 595)), "JPEG", quality=92),
    "odd-webp": encoded(PHOTO.crop((1, 2, 778, 595)), "WEBP", quality=92, method=0),
}


# 500 is decoded whole, 400 too (the margin of a reduced decode is 15/8), 200 and 90 at a half and an eighth or fourth.
@pytest.mark.parametrize("max_side", [500, 400, 200, 90])
@pytest.mark.parametrize("kind", LARGE)
def test_pictures_are_as_good_as_pillows_lanczos(prepare, kind, max_side) -> None:
    data = LARGE[kind]
    image = prepare(data, max_side=max_side)
    size = (image.sent.width, image.sent.height)
    reference = resized(pixels(data), size)
    mode = "L" if "grey" in kind else "RGB"
    pillows = opened(data).convert(mode).resize(size, Image.Resampling.LANCZOS)
    peer = psnr(pixels(encoded(pillows, "JPEG", quality=90)), reference)
    actual = psnr(pixels(image.data), reference)
    assert actual > peer - 0.5
    assert actual > 30
    assert opened(image.data).mode == mode


@pytest.mark.parametrize("kind", ["png", "bmp", "webp-lossless", "grey-png"])
@pytest.mark.parametrize("max_side", [500, 400, 200, 90])
def test_without_loss_the_pixels_are_pillows(prepare, kind, max_side) -> None:
    """What becomes much smaller is averaged ahead of the filter, in Pillow as here."""
    data = LARGE[kind]
    image = prepare(data, max_side=max_side, output_format=OutputFormat.PNG)
    size = opened(image.data).size
    reference = resized(pixels(data), size)
    pillows = opened(data).resize(size, Image.Resampling.LANCZOS, reducing_gap=15 / 8).convert("RGB")
    actual = psnr(pixels(image.data), reference)
    assert actual > psnr(pillows, reference) - 0.5
    assert actual > (55 if max_side > 300 else 45)


COLOURS = [
    *((level, level, level) for level in (0, 1, 16, 64, 128, 200, 235, 254, 255)),
    *((r, g, b) for r in (0, 120, 255) for g in (0, 120, 255) for b in (0, 120, 255)),
    (200, 100, 50),
    (30, 60, 90),
    (12, 200, 180),
    (240, 220, 10),
]
CHART = patches(COLOURS)
FLAT = {
    "4:2:0": encoded(CHART, "JPEG", quality=100, subsampling=2),
    "4:2:2": encoded(CHART, "JPEG", quality=100, subsampling=1),
    "4:4:4": encoded(CHART, "JPEG", quality=100, subsampling=0),
    "4:4:0": resampled_jpeg(CHART, (1, 2), quality=100),
    "progressive": encoded(CHART, "JPEG", quality=100, progressive=True),
    "rgb": encoded(CHART, "JPEG", quality=100, keep_rgb=True),
    "grey": encoded(CHART.convert("L"), "JPEG", quality=100),
    "png": encoded(CHART, "PNG"),
    "palette": encoded(CHART.quantize(64, dither=Image.Dither.NONE), "PNG"),
    "webp": encoded(CHART, "WEBP", quality=100),
    "webp-lossless": encoded(CHART, "WEBP", lossless=True),
}


@pytest.mark.parametrize("max_side", [256, 255, 128])
@pytest.mark.parametrize("kind", FLAT)
def test_flat_colours_do_not_shift(prepare, kind, max_side) -> None:
    """At 256 px nothing is scaled: WEBP and the palette are only converted."""
    data = FLAT[kind]
    operation = Operation.SUPER_RESOLUTION if "webp" in kind else Operation.TAGGING
    image = prepare(data, operation, max_side=max_side, quality=100, convert=Convert.ALWAYS)
    before = patch_colours(pixels(data), len(COLOURS))
    after = patch_colours(pixels(image.data), len(COLOURS))
    assert np.abs(before - after).max() <= 2
