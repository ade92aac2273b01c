"""Noise of known strength, measured."""

import numpy as np
import pytest

from gateway.engines.noise_curves import noise_curves, sampled_bands


def planes(luma, deviation, *, side=320, seed=0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (side, side, 3)) * np.broadcast_to(deviation, (side, side))[..., np.newaxis]
    return (
        noise + np.dstack([np.broadcast_to(luma, (side, side)), np.full((side, side), 128.0), np.full((side, side), 128.0)])
    ).astype(np.float32)


def measured(picture) -> np.ndarray:
    curves = noise_curves(picture[rows] for rows in sampled_bands(picture.shape[0]))
    assert curves is not None
    return np.sqrt(curves)


@pytest.mark.parametrize("deviation", [0.5, 2, 6])
def test_white_noise_is_found_within_a_third(deviation) -> None:
    found = measured(planes(60.0, deviation))
    assert found.shape == (2, 256)
    assert np.all(found > deviation * 0.66)
    assert np.all(found < deviation)


def test_noise_is_told_apart_by_brightness() -> None:
    ramp = np.where(np.arange(320) < 160, 20.0, 150.0)
    luma, _ = measured(planes(ramp, np.where(np.arange(320) < 160, 4.0, 1.0)))
    assert luma[20] > 2.5 * luma[150]
    assert luma[0] == pytest.approx(luma[20], rel=1e-3)
    assert luma[255] == pytest.approx(luma[150], rel=1e-3)


def test_edges_and_slopes_are_not_noise() -> None:
    slope = np.linspace(10, 200, 320)
    slope[200:] += 40
    assert measured(planes(slope, 0.0)).max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (7, 400), (400, 7)])
def test_pictures_without_blocks_tell_nothing(shape) -> None:
    picture = np.zeros((*shape, 3), np.float32)
    assert noise_curves(picture[rows] for rows in sampled_bands(shape[0])) is None


def test_black_tells_nothing() -> None:
    assert noise_curves([np.zeros((8, 400, 3), np.float32)]) is None


@pytest.mark.parametrize(("height", "bands"), [(7, 0), (8, 1), (100, 12), (4000, 64)])
def test_bands_lie_over_the_whole_height(height, bands) -> None:
    found = sampled_bands(height)
    assert len(found) == bands
    assert all(band.stop - band.start == 8 and band.start >= 0 and band.stop <= height for band in found)
    if bands > 1:
        assert (found[0].start, found[-1].stop) == (0, height // 8 * 8)
