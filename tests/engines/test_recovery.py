"""The equation of fog, solved for the scene, with and without what is fine and coloured."""

import numpy as np
import pytest

from gateway.engines.recovery import Fog, recovered
from gateway.engines.steps import never_cancelled

AIR = np.array([0.8, 0.82, 0.85], np.float32)


def without_fog(pixels: np.ndarray, transmission: float, share: float) -> np.ndarray:
    size = pixels.shape[:2]
    fog = Fog(AIR, np.full(size, transmission, np.float32), np.full(size, share, np.float32))
    return recovered(pixels, pixels, fog, 1.0, never_cancelled)


def test_with_all_of_the_detail_it_is_the_equation() -> None:
    scene = np.random.default_rng(1).integers(0, 256, (60, 80, 3)).astype(np.float32)
    foggy = np.rint(scene * 0.5 + AIR * 255 * 0.5).astype(np.uint8)
    assert np.abs(without_fog(foggy, 0.5, 1.0) - scene).max() <= 1.6  # half a level of the foggy picture, and of this one


def test_without_detail_slopes_are_stretched_and_noise_and_colour_are_not() -> None:
    rng = np.random.default_rng(2)
    slope = np.linspace(140, 200, 240)[np.newaxis, :, np.newaxis]
    foggy = np.rint(slope + rng.normal(0, 1.5, (160, 240, 3)) + [6, 0, -6]).astype(np.uint8)
    made = without_fog(foggy, 0.4, 0.0).astype(float)
    columns = made.mean(axis=(0, 2))
    assert columns[-10] - columns[10] == pytest.approx(2.5 * 60 * 220 / 240, rel=0.05)
    assert (made - made.mean(axis=0)).std() <= 1.3 * (foggy - foggy.mean(axis=0)).std()
    assert (made[..., 0] - made[..., 2]).mean() == pytest.approx(12, abs=0.5)


def test_gamma_comes_afterwards() -> None:
    pixels = np.full((20, 20, 3), 100, np.uint8)
    fog = Fog(AIR, np.ones((20, 20), np.float32), np.ones((20, 20), np.float32))
    assert (recovered(pixels, pixels, fog, 0.5, never_cancelled) == round((100 / 255) ** 0.5 * 255)).all()
