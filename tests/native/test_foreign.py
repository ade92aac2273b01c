"""Formats that are not accepted are named."""

import gzip
from collections.abc import Callable

import pytest
from PIL import Image

from gateway import _native


@pytest.mark.parametrize(
    ("kind", "name"),
    [("GIF", "GIF"), ("TIFF", "TIFF"), ("ICO", "ICO"), ("JPEG2000", "JPEG 2000"), ("PDF", "PDF"), ("AVIF", "AVIF")],
)
def test_what_pillow_writes_is_named(encode: Callable[..., bytes], kind: str, name: str) -> None:
    with pytest.raises(_native.ImageError) as caught:
        _native.probe(encode(Image.new("RGB", (32, 32)), kind))
    assert (caught.value.kind, caught.value.measured) == ("unsupported_format", name)
    assert caught.value.allowed == "JPEG, PNG, BMP or WEBP"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"<!doctype html><title>404</title>", "HTML"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (gzip.compress(b"", mtime=0), "gzip"),
        (b"/9j/4AAQSkZJRgABAQ", "base64 text"),
    ],
)
def test_other_things_are_named_too(data: bytes, name: str) -> None:
    with pytest.raises(_native.ImageError) as caught:
        _native.probe(data)
    assert (caught.value.kind, caught.value.measured) == ("unsupported_format", name)


def test_the_unknown_is_shown() -> None:
    with pytest.raises(_native.ImageError) as caught:
        _native.probe(b"hello, world")
    assert (caught.value.kind, caught.value.measured) == ("unrecognised", "68656c6c6f2c2077")
