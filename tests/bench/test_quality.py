"""PSNR and SSIM against values that scikit-image 0.26 gave for the same arrays, and against their definitions."""

import numpy as np
import pytest

from bench.engines.quality import psnr, ssim, ssim_colour


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    truth = random.integers(0, 256, (24, 31, 3), dtype=np.uint8)
    return np.clip(truth.astype(int) + random.integers(-40, 41, truth.shape), 0, 255).astype(np.uint8), truth


def test_values_of_another_implementation(pair) -> None:
    assert psnr(*pair) == pytest.approx(21.133207055953108, abs=1e-4)
    assert ssim(*pair) == pytest.approx(0.9496269715459393, abs=1e-6)
    assert ssim_colour(*pair) == pytest.approx(0.9541423799335194, abs=1e-6)


def test_equal_pictures(pair) -> None:
    assert psnr(pair[1], pair[1]) == float("inf")
    assert ssim(pair[1], pair[1]) == pytest.approx(1)


def test_one_code_everywhere_is_48_decibels() -> None:
    truth = np.full((20, 20, 3), 100, np.uint8)
    assert psnr(truth + np.uint8(1), truth) == pytest.approx(20 * np.log10(255))


def test_grey_pictures_are_their_own_luma(pair) -> None:
    grey = [of[..., 0] for of in pair]
    assert ssim(*grey) == pytest.approx(ssim_colour(*(np.dstack([of] * 3) for of in grey)))


@pytest.mark.parametrize("other", [np.zeros((24, 30, 3), np.uint8), np.zeros((24, 31, 3), np.float32)])
def test_what_cannot_be_compared_is_refused(pair, other) -> None:
    with pytest.raises(ValueError, match="of one shape"):
        psnr(pair[0], other)


def test_pictures_under_the_window_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 11"):
        ssim(np.zeros((10, 40), np.uint8), np.zeros((10, 40), np.uint8))
