"""What is called an artefact of fog removal, on pictures that have one, and on pictures that don't."""

import cv2
import numpy as np
import pytest

from bench.engines.defog.artefacts import Artefacts, as_jpeg, blocks, colour, largest, noise, rim


@pytest.fixture(scope="module")
def foggy() -> np.ndarray:
    """A dark block in fog that grows paler upwards."""
    rng = np.random.default_rng(1)
    picture = np.broadcast_to(np.linspace(200, 150, 600)[:, np.newaxis, np.newaxis], (600, 1000, 3)).copy()
    picture[250:450, 400:600] = 60
    return np.rint(picture + rng.normal(0, 1, picture.shape)).astype(np.uint8)


def stretched(picture: np.ndarray, by: float) -> np.ndarray:
    return np.clip(np.rint((picture - 170.0) * by + 170), 0, 255).astype(np.uint8)


def test_contrast_alone_makes_no_rim(foggy) -> None:
    assert rim(foggy, foggy) == 0
    assert rim(foggy, stretched(foggy, 1.6)) < 0.15


def test_a_glow_is_a_rim(foggy) -> None:
    block = np.zeros(foggy.shape[:2], np.float32)
    block[250:450, 400:600] = 1
    glow = cv2.GaussianBlur(block, (0, 0), 40) * (1 - block) * 60
    assert rim(foggy, np.clip(foggy + glow[..., np.newaxis], 0, 255).astype(np.uint8)) > 0.5


def test_noise_is_measured_by_how_much_it_grows(foggy) -> None:
    assert noise(foggy, foggy) == pytest.approx(1)
    assert noise(foggy, stretched(foggy, 2)) == pytest.approx(2, rel=0.15)


def test_patches_of_colour_count_apart_from_luma(foggy) -> None:
    patches = cv2.resize(np.random.default_rng(2).normal(0, 12, (60, 100, 1)), (1000, 600))[..., np.newaxis] * [1, 0, -1]
    patchy = np.clip(foggy + patches, 0, 255).astype(np.uint8)
    assert colour(foggy, foggy) == pytest.approx(1)
    assert colour(foggy, patchy) > 2
    assert noise(foggy, patchy) < 0.7 * colour(foggy, patchy)


def test_blocks_are_those_of_jpeg(foggy) -> None:
    columns = 2 * (np.arange(1000) // 8 % 2)[:, np.newaxis]
    given = np.clip(foggy.astype(int) + columns, 0, 255).astype(np.uint8)
    assert blocks(given, given) == pytest.approx(1)
    assert blocks(given, stretched(given, 2)) == pytest.approx(2, rel=0.3)
    assert blocks(foggy, given) > 5


def test_jpeg_keeps_the_colours(foggy) -> None:
    red = foggy // 2 + np.array([60, 0, 0], np.uint8)
    assert np.abs(as_jpeg(red).mean(axis=(0, 1)) - red.mean(axis=(0, 1))).max() < 2


def test_the_largest_of_each_is_kept() -> None:
    assert largest([Artefacts(1, 2, 3, 4), Artefacts(2, 1, 4, 3)]) == Artefacts(2, 2, 4, 4)
