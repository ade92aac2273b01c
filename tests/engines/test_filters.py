"""The guided filter against the formulas of its paper, computed pixel by pixel, and rows enlarged one stripe at a time."""

import cv2
import numpy as np
import pytest

from gateway.engines.filters import RowEnlarger, box_mean, guided_coefficients


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def windows(of: np.ndarray, radius: int) -> np.ndarray:
    """Every pixel's square of neighbours, the outermost pixels repeated."""
    padded = np.pad(of.astype(np.float64), radius, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))


def guided_filter(guide: np.ndarray, source: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    slope, offset = guided_coefficients(guide, source, radius, epsilon)
    return slope * guide + offset


def plainly_guided(guide: np.ndarray, source: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """Equations 5, 6 and 8 of He, Sun and Tang."""
    seen, filtered = windows(guide, radius), windows(source, radius)
    mean, target = seen.mean((2, 3)), filtered.mean((2, 3))
    slope = ((seen * filtered).mean((2, 3)) - mean * target) / (seen.var((2, 3)) + epsilon)
    offset = target - slope * mean
    return windows(slope, radius).mean((2, 3)) * guide + windows(offset, radius).mean((2, 3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (23, 31)])
@pytest.mark.parametrize("radius", [1, 4])
def test_the_guided_filter_is_that_of_the_paper(rng, shape, radius) -> None:
    guide, source = rng.random(shape, np.float32), rng.random(shape, np.float32)
    expected = plainly_guided(guide, source, radius, 0.01)
    assert np.allclose(guided_filter(guide, source, radius, 0.01), expected, atol=1e-5)


def test_values_far_from_zero_keep_their_precision(rng) -> None:
    guide = (1000 + rng.random((20, 20))).astype(np.float32)
    expected = plainly_guided(guide, guide, 2, 1e-3)
    assert np.abs(guided_filter(guide, guide, 2, 1e-3) - expected).max() < 0.02


def test_an_edge_of_the_guide_stays_and_noise_beside_it_goes(rng) -> None:
    guide = np.zeros((40, 40), np.float32)
    guide[:, 20:] = 1
    noisy = guide + rng.normal(0, 0.1, guide.shape).astype(np.float32)
    smooth = guided_filter(guide, noisy, 5, 1e-3)
    assert smooth[:, 15:20].max() < 0.2
    assert smooth[:, 20:25].min() > 0.8
    assert smooth[:, :15].std() < 0.3 * noisy[:, :15].std()


def test_an_even_guide_leaves_the_twice_blurred_map(rng) -> None:
    source = rng.random((15, 15), np.float32)
    expected = box_mean(box_mean(source, 7), 7)
    assert np.allclose(guided_filter(np.full((15, 15), 0.5, np.float32), source, 3, 1e-3), expected, atol=1e-6)


def test_maps_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        guided_coefficients(np.zeros((4, 5), np.float32), np.zeros((5, 4), np.float32), 1, 0.1)


@pytest.mark.parametrize(("small", "large"), [((7, 9), (53, 80)), ((1, 1), (4, 3)), ((12, 3), (5, 3)), ((6, 8), (6, 8))])
def test_rows_are_those_of_the_whole_enlarged_map(rng, small, large) -> None:
    map_ = rng.random(small, np.float32)
    height, width = large
    expected = cv2.resize(map_, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = RowEnlarger(map_, width, height)
    stripes = [rows.rows(start, min(start + 3, height)) for start in range(0, height, 3)]
    assert np.allclose(np.vstack(stripes), expected, atol=1e-5)
