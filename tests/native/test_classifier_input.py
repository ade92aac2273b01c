"""The classifier's square, against Pillow's resampling and torchvision's rounding."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from gateway import _native


def expected(image: Image.Image, resize: int, crop: int) -> np.ndarray:
    """What torchvision's `Resize(resize, BICUBIC)` and `CenterCrop(crop)` make of a PIL image."""
    width, height = image.size
    short = min(width, height)
    image = image.resize((width * resize // short, height * resize // short), Image.Resampling.BICUBIC)
    left, top = round((image.width - crop) / 2), round((image.height - crop) / 2)
    return np.asarray(image.crop((left, top, left + crop, top + crop)))


@pytest.mark.parametrize("size", [(320, 280), (280, 321), (800, 601), (100, 90), (1000, 300)])
@pytest.mark.parametrize(("resize", "crop"), [(320, 280), (256, 224), (224, 224)])
def test_it_is_within_two_levels_of_pillow(encode: Callable[..., bytes], size: tuple[int, int], resize: int, crop: int) -> None:
    """The filter has two passes, with rounding between them; Pillow's come in the other order."""
    noise = np.random.default_rng(1).normal(128, 20, (size[1], size[0], 3))
    image = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    actual = _native.classifier_input(encode(image, "PNG", compress_level=0), resize=resize, crop=crop)
    assert actual.shape == (crop, crop, 3)
    difference = np.abs(actual.astype(int) - expected(image, resize, crop).astype(int))
    assert difference.max() <= 2
    assert difference.mean() < 0.3


def test_an_extreme_shape_takes_no_more_memory_than_the_crop(encode: Callable[..., bytes]) -> None:
    data = encode(Image.new("RGB", (4096, 1), (9, 99, 199)), "PNG")
    assert _native.classifier_input(data, resize=256, crop=224).tobytes() == bytes((9, 99, 199)) * 224 * 224


@pytest.mark.parametrize(("resize", "crop"), [(0, 0), (224, 0), (224, 225), (4097, 224)])
def test_sizes_are_checked(encode: Callable[..., bytes], resize: int, crop: int) -> None:
    data = encode(Image.new("RGB", (20, 20)), "PNG")
    with pytest.raises(ValueError, match="1 <= crop <= resize <= 4096") as caught:
        _native.classifier_input(data, resize=resize, crop=crop)
    assert not isinstance(caught.value, _native.ImageError)


def test_the_orientation_is_applied(encode: Callable[..., bytes]) -> None:
    """Stored with red on the left and orientation 6, it is shown with red at the top."""
    stored = Image.new("RGB", (64, 64), "blue")
    stored.paste("red", (0, 0, 32, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = _native.classifier_input(encode(stored, "PNG", exif=exif), resize=64, crop=64)
    image = Image.fromarray(pixels)
    assert image.getpixel((32, 2)) == (255, 0, 0)
    assert image.getpixel((32, 61)) == (0, 0, 255)
