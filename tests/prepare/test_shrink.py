"""Files that are too long: written anew, in lower quality first and in a smaller size second."""

import re

import pytest
from PIL import Image, PngImagePlugin

from gateway import _native
from gateway.errors import Reason
from gateway.media import PreparedImage
from gateway.prepare import Alpha, OutputFormat

from .conftest import names
from .pictures import encoded, noise, opened, photo, pixels, psnr, resized

LARGEST = 7_864_320


def quality(image: PreparedImage) -> int:
    """That of the JPEG, by what is told of it."""
    return int(re.search(r"JPEG quality (\d+)$", image.actions[-1].detail)[1])


def rounded(limit: int) -> int:
    """A length wanted is kept to whole groups of base64, of three bytes each."""
    return -(-limit // 3) * 3


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    """Of a quality that leaves room below."""
    return encoded(photo(), "JPEG", quality=97, subsampling=0)


@pytest.mark.parametrize("share", [0.7, 0.5, 0.3])
def test_quality_is_given_up_first(prepare, jpeg, share) -> None:
    limit = int(len(jpeg) * share)
    image = prepare(jpeg, max_bytes=limit)
    assert names(image) == ["shrink"]
    assert (image.sent.width, image.sent.height) == (400, 300)
    assert limit / 2 < len(image.data) <= rounded(limit)
    assert 60 <= quality(image) <= 90
    assert opened(image.data).quantization == opened(encoded(photo(), "JPEG", quality=quality(image))).quantization
    assert psnr(pixels(image.data), pixels(jpeg)) > 30


@pytest.mark.parametrize("share", [0.1, 0.05, 0.02])
def test_size_is_given_up_second(prepare, jpeg, share) -> None:
    limit = max(int(len(jpeg) * share), 1024)
    image = prepare(jpeg, max_bytes=limit)
    assert names(image) == ["shrink"]
    assert limit / 2 < len(image.data) <= rounded(limit)
    assert quality(image) == 60
    assert 15 <= image.sent.height < 300
    assert abs(image.sent.width - image.sent.height * 4 / 3) <= 1
    assert psnr(pixels(image.data), resized(pixels(jpeg), (image.sent.width, image.sent.height))) > 26


def test_a_quality_that_is_low_already_is_kept(prepare, jpeg) -> None:
    image = prepare(jpeg, max_bytes=6000, quality=30)
    assert quality(image) == 30
    assert image.sent.width < 400
    assert len(image.data) <= rounded(6000)


@pytest.mark.parametrize("limit", range(1024, 1700, 25))
def test_the_smallest_lengths_are_kept_by_a_photograph(prepare, limit) -> None:
    """A JPEG of 20 × 15 px is 800 bytes long, most of them tables: there is a way."""
    image = prepare(encoded(photo(), "JPEG"), max_bytes=limit)
    assert len(image.data) <= rounded(limit)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
@pytest.mark.parametrize("limit", [1024, 4000, 20_000, 60_000])
def test_noise_is_made_to_fit_as_well(prepare, kind, limit) -> None:
    image = prepare(encoded(noise((300, 200)), kind, **({"quality": 100} if kind in {"JPEG", "WEBP"} else {})), max_bytes=limit)
    assert len(image.data) <= rounded(limit)
    assert names(image) == ["shrink"]


def test_what_cannot_be_made_to_fit_is_refused_with_its_length(refusal) -> None:
    """It is as narrow as is allowed: no size can be given up."""
    error = refusal(encoded(noise((900, 15)), "PNG"), max_bytes=1024)
    assert error.reason is Reason.IMAGE_TOO_LARGE
    assert error.allowed == "1368 characters"
    assert int(error.measured.split()[0]) > 1368


def test_the_narrow_side_is_given_up_to_the_least_that_is_allowed(prepare) -> None:
    """At 17 px there are two rows of coding units, at 15 px one: half as long, where the area is three quarters."""
    picture = noise((600, 17))
    whole, least = (len(encoded(picture.resize(size), "JPEG", quality=60)) for size in ((600, 17), (529, 15)))
    assert least < whole * 0.7
    image = prepare(encoded(picture, "PNG"), max_bytes=int(whole * 0.7))
    assert len(image.data) <= rounded(int(whole * 0.7))
    assert image.sent.height == 15


def test_shrink_switched_off_is_a_refusal(refusal, jpeg) -> None:
    error = refusal(jpeg, max_bytes=20_000, shrink=False)
    assert error.reason is Reason.IMAGE_TOO_LARGE
    assert error.measured == f"{_native.base64_length(len(jpeg))} characters"
    assert error.allowed == f"{_native.base64_length(20_000)} characters"


def test_shrink_switched_off_refuses_what_other_repairs_leave_too_long(prepare, refusal) -> None:
    data = encoded(noise((300, 200)), "PNG")
    error = refusal(data, max_side=150, max_bytes=3000, shrink=False)
    assert error.reason is Reason.IMAGE_TOO_LARGE
    assert len(prepare(data, max_side=150, max_bytes=20_000, shrink=False).data) <= rounded(20_000)


def test_metadata_that_makes_it_too_long_is_all_that_goes(prepare) -> None:
    plain = encoded(photo(), "JPEG")
    data = encoded(photo(), "JPEG", comment=b"x" * 60_000)
    image = prepare(data, max_bytes=len(plain) + 1000, shrink=False)
    assert names(image) == ["strip_metadata"]
    assert (pixels(image.data) == pixels(plain)).all()


def test_metadata_is_no_help_where_it_has_to_stay(prepare, refusal) -> None:
    data = encoded(photo(), "JPEG", comment=b"x" * 60_000)
    limit = len(data) - 30_000
    assert refusal(data, max_bytes=limit, shrink=False, strip_metadata=False).reason is Reason.IMAGE_TOO_LARGE
    image = prepare(data, max_bytes=limit, strip_metadata=False)
    assert names(image) == ["shrink"]
    assert b"xxxx" not in image.data


def test_a_png_becomes_a_jpeg(prepare) -> None:
    data = encoded(photo(), "PNG")
    image = prepare(data, max_bytes=len(data) // 2)
    assert (image.sent.format, image.sent.width) == ("jpeg", 400)
    assert quality(image) == 90


def test_a_png_stays_one_if_that_was_asked_for(prepare) -> None:
    data = encoded(photo(), "PNG")
    image = prepare(data, max_bytes=len(data) // 3, output_format=OutputFormat.PNG)
    assert image.sent.format == "png"
    assert len(data) / 6 < len(image.data) <= rounded(len(data) // 3)
    assert image.actions[-1].detail == f"{len(data)} bytes to {len(image.data)} bytes"
    assert psnr(pixels(image.data), resized(pixels(data), opened(image.data).size)) > 40


@pytest.mark.parametrize("size", [(160, 120), (160, 121), (161, 120), (167, 113), (17, 160)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_becomes_a_png_if_that_was_asked_for_whatever_its_sides(prepare, size, mode) -> None:
    """Its decoder gives whole coding units, which are more than the picture."""
    data = encoded(photo(size).convert(mode), "JPEG", quality=95, comment=b"x" * 60_000)
    image = prepare(data, max_bytes=len(data) - 3, strip_metadata=False, output_format=OutputFormat.PNG)
    assert names(image) == ["shrink"]
    assert (opened(image.data).mode, opened(image.data).size) == (mode, size)
    assert psnr(pixels(image.data), pixels(data)) > 40


def test_transparency_that_is_kept_is_made_smaller(prepare) -> None:
    picture = photo().copy()
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encoded(picture, "PNG")
    image = prepare(data, max_bytes=len(data) // 3, alpha=Alpha.KEEP)
    assert opened(image.data).mode == "RGBA"
    assert len(image.data) <= rounded(len(data) // 3)


def test_a_fit_may_have_to_be_shrunk(prepare) -> None:
    image = prepare(encoded(noise((400, 300)), "PNG"), max_side=200, max_bytes=5000)
    assert names(image) == ["fit", "shrink"]
    assert image.actions[0].detail == "400x300 px to 200x150 px"
    assert image.sent.width < 200
    assert len(image.data) <= rounded(5000)


def test_a_fit_that_is_short_enough_is_not(prepare) -> None:
    data = encoded(photo(), "PNG")
    image = prepare(data, max_side=200, max_bytes=len(data) - 1)
    assert names(image)[0] == "fit"
    assert opened(image.data).quantization == opened(encoded(photo(), "JPEG", quality=90)).quantization


def test_the_operations_own_limit_is_kept(prepare) -> None:
    data = encoded(noise((1800, 1600)), "BMP")
    assert len(data) > LARGEST
    image = prepare(data, quality=100)
    assert LARGEST / 2 < len(image.data) <= LARGEST
    assert (image.sent.width, image.sent.height) == (1800, 1600)


def test_text_in_a_png_counts_as_length(prepare) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "y" * 50_000)
    plain = encoded(photo((60, 40)), "PNG")
    image = prepare(encoded(photo((60, 40)), "PNG", pnginfo=text), max_bytes=len(plain))
    assert names(image) == ["strip_metadata"]
    assert image.data == plain
