"""The files that are prepared: pictures like a camera's, made once from photographs and kept in the cache."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .environments import cache
from .metadata import with_metadata
from .photographs import mosaic

CAMERA_QUALITY = 95

_NOISE = 3.0  # standard deviation, in levels of 255

LARGE = (6000, 4000)
MEDIUM = (4000, 3000)


def make(photographs: Sequence[Path]) -> dict[str, Path]:
    """The files by name; whoever changes how they are made changes the name of their folder too."""
    digest = hashlib.sha256(b"2")
    for path in photographs:
        digest.update(path.read_bytes())
    folder = cache("inputs", digest.hexdigest()[:16])
    inputs: dict[str, Path] = {}

    def keep(name: str, make: Callable[[], bytes]) -> None:
        path = inputs[name] = folder / name
        if not path.is_file():
            path.write_bytes(make())

    medium = mosaic(photographs, *MEDIUM)
    noisy = _noisy(medium)
    keep("24mp.jpg", lambda: _jpeg(mosaic(photographs, *LARGE), CAMERA_QUALITY))
    keep("12mp.jpg", lambda: _jpeg(medium, CAMERA_QUALITY))
    keep("12mp.png", lambda: _encode(medium, "PNG"))
    keep("12mp.webp", lambda: _encode(medium, "WEBP", quality=90))
    keep("9.0mb.jpg", lambda: _jpeg_of(noisy, 9_000_000))
    keep("7.5mb.jpg", lambda: _jpeg_of(noisy, 7_500_000))
    keep("2.0mb.jpg", lambda: _jpeg_of(mosaic(photographs, 2500, 1500), 2_000_000))
    keep("metadata.jpg", lambda: with_metadata(_jpeg_of(medium, 5_000_000), _thumbnail(medium)))
    return inputs


def _encode(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    return _encode(image, "JPEG", quality=quality, subsampling=2)


def _jpeg_of(image: Image.Image, length: int) -> bytes:
    """A JPEG of `length` bytes, or as little less as the steps of its quality allow."""
    low, high = 50, 100
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(_jpeg(image, middle)) <= length else (low, middle)
    return _jpeg(image, low)


def _noisy(image: Image.Image) -> Image.Image:
    """The picture with the noise of a sensor in poor light, for the longest files."""
    noise = np.random.default_rng(1).normal(0, _NOISE, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).round().astype(np.uint8))


def _thumbnail(image: Image.Image) -> bytes:
    small = image.resize((160, 120), Image.Resampling.LANCZOS)
    return _jpeg(small, 80)
