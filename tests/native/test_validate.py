"""Limits, and files that are not whole."""

from collections.abc import Callable

import pytest
from PIL import Image

from gateway import _native


def refusal(data: bytes, **limits: int) -> _native.ImageError:
    with pytest.raises(_native.ImageError) as caught:
        _native.validate(data, **limits)
    return caught.value


def test_what_pillow_writes_is_accepted(file: bytes) -> None:
    assert _native.validate(file) == _native.probe(file)


def test_constants_are_the_services() -> None:
    assert (_native.MIN_SIDE, _native.MAX_SIDE, _native.MAX_BASE64) == (15, 4096, 10_485_760)


@pytest.mark.parametrize("size", [(14, 15), (15, 14), (4097, 15), (15, 4097)])
def test_a_side_out_of_range_is_refused(encode: Callable[..., bytes], size: tuple[int, int]) -> None:
    error = refusal(encode(Image.new("1", size), "PNG"))
    assert error.kind == "dimensions_out_of_range"
    assert (error.measured, error.allowed) == (f"{size[0]}x{size[1]} px", "15 to 4096 px")
    assert str(error) == error.message == f"image is {size[0]}x{size[1]} px; each side must be 15 to 4096 px"


@pytest.mark.parametrize("size", [(15, 15), (4096, 15), (15, 4096)])
def test_a_side_at_its_limit_is_accepted(encode: Callable[..., bytes], size: tuple[int, int]) -> None:
    assert _native.validate(encode(Image.new("1", size), "PNG"))


def test_length_is_measured_in_base64(encode: Callable[..., bytes]) -> None:
    padding = bytes(7_864_320)
    data = encode(Image.new("RGB", (15, 15)), "BMP")
    assert _native.validate((data + padding)[:7_864_320])
    error = refusal((data + padding)[:7_864_321])
    assert (error.kind, error.measured, error.allowed) == ("encoded_too_large", "10485764 characters", "10485760 characters")


def test_limits_can_be_named(encode: Callable[..., bytes]) -> None:
    data = encode(Image.new("RGB", (20, 20)), "PNG")
    assert _native.validate(data, min_side=20, max_side=20, max_base64=_native.base64_length(len(data)))
    assert refusal(data, min_side=21).kind == "dimensions_out_of_range"
    assert refusal(data, max_side=19).kind == "dimensions_out_of_range"
    assert refusal(data, max_base64=_native.base64_length(len(data)) - 1).kind == "encoded_too_large"


def test_no_data_is_refused() -> None:
    error = refusal(b"")
    assert (error.kind, error.measured) == ("empty", "0 bytes")
    assert isinstance(error, ValueError)


def test_every_cut_is_refused(file: bytes) -> None:
    # The last byte of a WEBP file may be padding, and be left out.
    for length in range(len(file) - 1):
        assert refusal(file[:length]).kind in {"empty", "unrecognised", "truncated", "damaged"}


@pytest.mark.parametrize("data", [bytearray(b"GIF89a"), memoryview(b"GIF89a"), "GIF89a", None])
def test_only_bytes_are_taken(data: object) -> None:
    with pytest.raises(TypeError):
        _native.validate(data)  # type: ignore[arg-type]  # which is the point
