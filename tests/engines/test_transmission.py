"""What the dark channel takes for fog beside dark things, and where there is nothing to be seen."""

import numpy as np
import pytest

from gateway.engines.transmission import emptiness, haze


@pytest.fixture
def scene() -> np.ndarray:
    """A textured dark square in even fog."""
    rng = np.random.default_rng(1)
    picture = np.full((200, 300, 3), 0.7, np.float32) + rng.normal(0, 0.002, (200, 300, 3)).astype(np.float32)
    picture[80:160, 100:200] = rng.uniform(0.1, 0.3, (80, 100, 1))
    return picture


def test_fog_reaches_up_to_dark_things(scene) -> None:
    found = haze(scene, np.full(3, 0.8, np.float32))
    outside = np.ones(found.shape, bool)
    outside[80:160, 100:200] = False
    assert found[outside].min() > 0.8
    assert found[81:159, 101:199].max() < 0.5


def test_skies_are_empty_up_to_what_stands_before_them(scene) -> None:
    found = emptiness(scene)
    assert found[90:150, 110:190].max() < 0.2
    outside = np.ones(found.shape, bool)
    outside[70:170, 90:210] = False
    assert found[outside].min() > 0.8


def test_a_slope_is_empty_and_texture_is_not() -> None:
    slope = np.broadcast_to(np.linspace(0.2, 0.9, 300, dtype=np.float32)[np.newaxis, :, np.newaxis], (200, 300, 3))
    texture = slope + np.random.default_rng(2).normal(0, 0.03, (200, 300, 1)).astype(np.float32)
    assert emptiness(slope).min() > 0.8
    assert emptiness(texture).max() < 0.2
