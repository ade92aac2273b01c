"""Smoothing that solves what it says it solves, and doesn't cross edges."""

import numpy as np
import pytest

from gateway.engines.global_smoother import GlobalSmoother


def test_one_line_is_solved_exactly() -> None:
    """With a strength so small that one iteration counts for three, and a line without edges."""
    count, strength = 12, 0.02
    values = np.random.default_rng(1).uniform(0, 1, (1, count)).astype(np.float32)
    laplacian = 2 * np.eye(count) - np.eye(count, k=1) - np.eye(count, k=-1)
    laplacian[0, 0] = laplacian[-1, -1] = 1
    expected = np.linalg.solve(np.eye(count) + 1.5 * strength * (21 / 63) * laplacian, values[0])
    smoothed = GlobalSmoother(np.zeros((1, count, 1), np.float32), strength, 0.03).smooth(values)
    assert smoothed[0, 0] == pytest.approx(expected, abs=1e-3)


def test_regions_become_even_as_a_whole_and_keep_apart() -> None:
    guide = np.zeros((60, 80, 3), np.float32)
    guide[:, 40:] = 0.5
    guide[:, 39:41] = 0.25  # an outline of some width
    values = np.random.default_rng(2).uniform(0, 0.2, (60, 80)).astype(np.float32)
    values[:, 40:] += 0.8
    smoothed = GlobalSmoother(guide, 4000, 0.03).smooth(values)[0]
    left, right = smoothed[:, :38], smoothed[:, 42:]
    assert np.ptp(left) < 0.05
    assert np.ptp(right) < 0.05
    assert left.mean() == pytest.approx(0.1, abs=0.03)
    assert right.mean() == pytest.approx(0.9, abs=0.03)


def test_a_constant_stays_and_maps_do_not_mix() -> None:
    guide = np.random.default_rng(3).uniform(0, 1, (9, 7, 3)).astype(np.float32)
    smoothed = GlobalSmoother(guide, 100, 0.1).smooth(np.full((9, 7), 0.3, np.float32), np.full((9, 7), 0.8, np.float32))
    assert smoothed[0] == pytest.approx(0.3, abs=1e-5)
    assert smoothed[1] == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (1, 400), (3, 2)])
def test_any_size_will_do(size) -> None:
    values = np.full(size, 0.5, np.float32)
    smoothed = GlobalSmoother(np.zeros((*size, 3), np.float32), 900, 0.03).smooth(values)
    assert smoothed.shape == (1, *size)
    assert smoothed[0] == pytest.approx(values, abs=1e-4)
