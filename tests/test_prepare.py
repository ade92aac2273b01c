import io
import re
from pathlib import Path

import pytest
from PIL import Image

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts
from gateway.prepare import _REASONS, prepare


def picture(kind: str, size: tuple[int, int] = (32, 16), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (10, 200, 30)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
def test_a_picture_is_handed_on_as_it_is_with_its_facts(kind) -> None:
    data = picture(kind)
    prepared = prepare(data)
    assert prepared.data is data
    assert prepared.facts == ImageFacts(format=kind.lower(), width=32, height=16, orientation=1, size_bytes=len(data))
    assert prepared.actions == ()


def test_the_stored_size_and_the_orientation_are_told() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = prepare(picture("JPEG", exif=exif)).facts
    assert (facts.width, facts.height, facts.orientation) == (32, 16, 6)


@pytest.mark.parametrize("size", [(15, 15), (4096, 15), (15, 4096)])
def test_the_limits_of_a_side_are_allowed(size) -> None:
    assert prepare(picture("PNG", size)).facts.width == size[0]


@pytest.mark.parametrize("size", [(14, 15), (15, 14), (4097, 15), (15, 4097)])
def test_beyond_them_is_refused_with_what_was_measured(size) -> None:
    with pytest.raises(GatewayError) as caught:
        prepare(picture("PNG", size))
    error = caught.value
    assert error.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert all(str(side) in error.measured for side in size)
    assert "15" in error.allowed
    assert "4096" in error.allowed


def test_the_largest_file_is_what_base64_makes_10_mb_of() -> None:
    data = picture("BMP")
    largest = 10_485_760 // 4 * 3
    assert prepare(data + bytes(largest - len(data))).facts.size_bytes == largest
    with pytest.raises(GatewayError) as caught:
        prepare(data + bytes(largest + 1 - len(data)))
    assert caught.value.reason is Reason.IMAGE_TOO_LARGE


def test_each_bad_picture_is_refused_with_its_reason(bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        with pytest.raises(GatewayError) as caught:
            prepare(data)
        assert (caught.value.reason, caught.value.field) == (reason, "content")
        assert isinstance(caught.value.__cause__, _native.ImageError)


def test_every_kind_of_complaint_has_a_reason() -> None:
    declared = re.search(r"kind: Literal\[(.*?)\]", Path(_native.__file__).with_name("_native.pyi").read_text(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', declared[1])) == set(_REASONS)
