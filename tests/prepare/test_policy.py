"""What is passed on, repaired or refused, operation by operation and switch by switch."""

import re
from itertools import product
from pathlib import Path

import pytest
from PIL import Image, JpegImagePlugin

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.image_error import REASONS
from gateway.media import ImageFacts
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions
from gateway.prepare.operations import LIMITS
from gateway.prepare.options import UNTOUCHED, policy

from .conftest import names
from .pictures import cut_scan, encoded, noise, opened, photo, pixels, png_header

LARGEST = 7_864_320
CONTRADICTION = (OutputFormat.JPEG, Alpha.KEEP)
BMP = encoded(Image.new("RGB", (32, 16), (10, 200, 30)), "BMP")


def padded(length: int) -> bytes:
    """A picture of `length` bytes."""
    return BMP + bytes(length - len(BMP))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
@pytest.mark.parametrize("convert", Convert)
@pytest.mark.parametrize("full_decode", [False, True])
def test_what_is_fit_is_passed_on_as_the_same_object(prepare, kind, convert, full_decode) -> None:
    data = encoded(photo((40, 30)), kind)
    image = prepare(data, convert=convert, full_decode=full_decode)
    assert image.data is data
    assert image.facts == ImageFacts(format=kind.lower(), width=40, height=30, orientation=1, size_bytes=len(data))


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("size", [(15, 15), (4096, 15), (15, 4096)])
def test_the_limits_of_a_side_are_allowed(prepare, operation, size) -> None:
    data = encoded(Image.new("1", size), "PNG")
    assert prepare(data, operation).data is data


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("size", [(14, 15), (15, 14), (14, 5000), (1, 1)])
def test_too_short_a_side_is_refused_whatever_is_allowed(refusal, operation, size) -> None:
    error = refusal(encoded(Image.new("1", size), "PNG"), operation)
    assert error.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert (error.measured, error.allowed) == (f"{size[0]}x{size[1]} px", "15 to 4096 px")


@pytest.mark.parametrize("size", [(4097, 20), (20, 4097), (5000, 5000)])
def test_too_long_a_side_is_refused_without_fit(refusal, size) -> None:
    error = refusal(encoded(Image.new("1", size), "PNG"), fit=False)
    assert error.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert error.message == f"image is {size[0]}x{size[1]} px; each side must be 15 to 4096 px"
    assert (error.measured, error.allowed) == (f"{size[0]}x{size[1]} px", "15 to 4096 px")


def test_without_fit_the_wish_for_a_smaller_side_is_void(prepare) -> None:
    data = encoded(photo(), "JPEG")
    assert prepare(data, fit=False, max_side=100).data is data


@pytest.mark.parametrize("operation", Operation)
def test_the_largest_file_is_what_base64_makes_10_mb_of(prepare, refusal, operation) -> None:
    data = padded(LARGEST)
    assert prepare(data, operation).data is data
    error = refusal(padded(LARGEST + 1), operation, shrink=False)
    assert error.reason is Reason.IMAGE_TOO_LARGE
    assert (error.measured, error.allowed) == ("10485764 characters", "10485760 characters")
    assert str(LARGEST + 1) in error.message


def test_a_file_above_it_is_written_anew(prepare) -> None:
    image = prepare(padded(LARGEST + 1))
    assert names(image) == ["shrink"]
    assert image.actions[0].detail == f"{LARGEST + 1} bytes to {len(image.data)} bytes, JPEG quality 90"


@pytest.mark.parametrize(("length", "is_passed_on"), [(3000, True), (3001, False)])
def test_a_length_wanted_is_a_length_in_bytes(prepare, refusal, length, is_passed_on) -> None:
    """It is rounded up to whole groups of base64, of three bytes each."""
    data = padded(length)
    assert (prepare(data, max_bytes=3000).data is data) == is_passed_on
    if not is_passed_on:
        assert refusal(data, max_bytes=3000, shrink=False).allowed == "4000 characters"


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
def test_each_operation_takes_its_formats(prepare, refusal, operation, kind) -> None:
    data = encoded(photo((40, 30)), kind)
    if kind.lower() in LIMITS[operation].formats:
        assert prepare(data, operation).data is data
        return
    image = prepare(data, operation)
    assert [str(action) for action in image.actions] == [f"convert: {kind}"]
    assert (image.sent.format, image.sent.width, image.sent.height) == ("jpeg", 40, 30)
    error = refusal(data, operation, convert=Convert.NEVER)
    assert error.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert (error.measured, error.allowed) == (kind, "JPEG, PNG or BMP, RGB or grey of 8 bits")


def test_only_super_resolution_takes_no_webp() -> None:
    without = [operation for operation in Operation if "webp" not in LIMITS[operation].formats]
    assert without == [Operation.SUPER_RESOLUTION]
    assert {tuple(sorted({*LIMITS[operation].formats, "webp"})) for operation in Operation} == {("bmp", "jpeg", "png", "webp")}


@pytest.mark.parametrize("quality", [1, 30, 60, 75, 90, 100])
def test_a_jpeg_has_the_quality_asked_for_and_half_the_chroma(prepare, quality) -> None:
    image = opened(prepare(encoded(photo(), "PNG"), max_side=200, quality=quality).data)
    expected = opened(encoded(photo((200, 150)), "JPEG", quality=quality))
    assert image.quantization == expected.quantization
    assert JpegImagePlugin.get_sampling(image) == 2
    assert "progressive" not in image.info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "GREY"])
@pytest.mark.parametrize(("output", "alpha"), [pair for pair in product(OutputFormat, Alpha) if pair != CONTRADICTION])
def test_what_is_written_anew_has_the_format_asked_for(prepare, kind, output, alpha) -> None:
    data = encoded(photo().convert("L"), "JPEG") if kind == "GREY" else encoded(photo(), kind)
    image = prepare(data, max_side=200, output_format=output, alpha=alpha)
    assert image.sent.format == ("png" if output is OutputFormat.PNG else "jpeg")
    assert pixels(image.data).shape == (150, 200, 3)


@pytest.mark.parametrize(
    ("output", "alpha", "expected"),
    [
        (OutputFormat.AUTO, Alpha.WHITE, ("JPEG", "RGB")),
        (OutputFormat.AUTO, Alpha.KEEP, ("PNG", "RGBA")),
        (OutputFormat.JPEG, Alpha.WHITE, ("JPEG", "RGB")),
        (OutputFormat.PNG, Alpha.WHITE, ("PNG", "RGB")),
        (OutputFormat.PNG, Alpha.KEEP, ("PNG", "RGBA")),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_kept_where_the_format_can(prepare, kind, output, alpha, expected) -> None:
    picture = photo().copy()
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    image = prepare(encoded(picture, kind), max_side=200, output_format=output, alpha=alpha)
    assert (opened(image.data).format, opened(image.data).mode) == expected
    assert names(image) == (["fit"] if expected[1] == "RGBA" else ["fit", "convert"])


def test_repairs_come_in_order_and_each_is_told(prepare) -> None:
    block = Image.Exif()
    block[0x0112] = 6
    data = encoded(noise((300, 200)).convert("CMYK"), "JPEG", quality=98, exif=block, comment=b"secret")
    image = prepare(data, max_side=240, max_bytes=20_000)
    assert names(image) == ["fit", "convert", "rotate", "shrink"]
    fit, convert, rotate, shrink = (action.detail for action in image.actions)
    assert fit == "300x200 px to 240x160 px"
    assert convert == "CMYK"
    assert rotate == "from EXIF orientation 6"
    assert re.fullmatch(rf"{len(data)} bytes to {len(image.data)} bytes, JPEG quality \d\d", shrink)


def test_nothing_at_all_can_be_asked_for(preparer, refusal) -> None:
    data = encoded(photo(), "JPEG", comment=b"kept")
    assert preparer.prepare_now(data, options=UNTOUCHED).data is data
    with pytest.raises(GatewayError):
        preparer.prepare_now(padded(LARGEST + 1), options=UNTOUCHED)


def test_who_decodes_here_gets_colours_as_they_are_and_nothing_over_the_limits(preparer) -> None:
    cmyk = encoded(photo().convert("CMYK"), "JPEG")
    assert preparer.check(cmyk, options=UNTOUCHED).data is cmyk
    for data in (padded(LARGEST + 1), cmyk[:-2] + bytes(LARGEST)):
        with pytest.raises(GatewayError) as caught:
            preparer.check(data, options=UNTOUCHED)
        assert caught.value.reason is Reason.IMAGE_TOO_LARGE
    with pytest.raises(GatewayError) as caught:
        preparer.check(encoded(Image.new("CMYK", (4097, 400)), "JPEG"), options=UNTOUCHED)
    assert caught.value.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


# Faults.


def test_each_bad_picture_is_refused_with_its_reason(refusal, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        assert refusal(data).reason == reason


def test_each_oversized_picture_is_made_fit_or_refused(prepare, refusal, oversized_pictures) -> None:
    for data, reason in oversized_pictures.values():
        assert prepare(data).sent is not None
        assert refusal(data, fit=False, shrink=False).reason == reason


def test_every_kind_of_complaint_has_a_reason() -> None:
    declared = re.search(r"kind: Literal\[(.*?)\]", Path(_native.__file__).with_name("_native.pyi").read_text(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', declared[1])) == set(REASONS)


CMYK = encoded(noise((48, 40)).convert("CMYK"), "JPEG")
FAULTS = [
    (b"", "empty"),
    (encoded(Image.new("L", (9, 9)), "GIF"), "unsupported_format"),
    (encoded(Image.new("CMYK", (5000, 20)), "JPEG")[:-2], "dimensions_out_of_range"),
    (CMYK[:-2] + bytes(8_000_000), "conversion_needed"),
    (padded(LARGEST + 1)[:18] + b"\xff\x0f\0\0\xff\x0f\0\0" + padded(LARGEST + 1)[26:], "encoded_too_large"),
    (BMP[:-1], "truncated"),
    (png_header(4000, 4000), "too_many_pixels"),
    (cut_scan(encoded(photo(), "JPEG")), "damaged"),
]


@pytest.mark.parametrize(("data", "kind"), FAULTS, ids=[f"{number}-{kind}" for number, (_, kind) in enumerate(FAULTS)])
def test_the_most_useful_fault_comes_first(data, kind) -> None:
    """Each of these has most of the faults that come after its own in the list as well."""
    options = PrepareOptions(fit=False, shrink=False, strip_metadata=False, convert=Convert.NEVER, full_decode=True)
    with pytest.raises(_native.ImageError) as caught:
        _native.prepare(data, policy(Operation.TAGGING, options, max_pixels=1_000_000))
    assert caught.value.kind == kind
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    ("data", "options", "measured", "allowed"),
    [
        (b"", {}, "0 bytes", "JPEG, PNG, BMP or WEBP"),
        (b"hello, world", {}, "68656c6c6f2c2077", "JPEG, PNG, BMP or WEBP"),
        (b"GIF89a", {}, "GIF", "JPEG, PNG, BMP or WEBP"),
        (png_header(5000, 14), {}, "5000x14 px", "15 to 4096 px"),
        (png_header(5000, 15), {}, "5000x15 px", "15 to 4096 px"),
        (png_header(500, 15), {"max_side": 100}, "500x15 px", "15 to 100 px"),
        (CMYK, {"convert": Convert.NEVER}, "CMYK", "JPEG, PNG, BMP or WEBP, RGB or grey of 8 bits"),
        (BMP[:-1], {}, f"{len(BMP) - 1} bytes", f"at least {len(BMP)} bytes"),
        (png_header(20_000, 20_000), {}, "20000x20000 px", "at most 100000000 pixels"),
        (padded(5000), {"max_bytes": 3000, "shrink": False}, "6668 characters", "4000 characters"),
    ],
    ids=range(10),
)
def test_what_was_measured_and_what_is_allowed_is_told(refusal, data, options, measured, allowed) -> None:
    error = refusal(data, **options)
    assert (error.measured, error.allowed) == (measured, allowed)
    number = re.search(r"\d+", measured)
    if number:
        assert number[0] in error.message or measured == "0 bytes"
