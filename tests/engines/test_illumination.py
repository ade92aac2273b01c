"""How much light is found to be missing where it is known, and a map that follows edges."""

import cv2
import numpy as np
import pytest

from gateway.engines.illumination import Illumination, MissingLight
from gateway.engines.planes import half_size, to_planes
from gateway.engines.transfer import LINEAR, decoding, encoding


def missing(picture: np.ndarray) -> MissingLight:
    return Illumination(half_size(picture)).missing


def exposed(picture: np.ndarray, stops: float) -> np.ndarray:
    linear = decoding()[picture.astype(int) * 256] * 2**stops
    return encoding()[np.rint(np.minimum(linear, LINEAR)).astype(int)]


@pytest.mark.parametrize("name", ["castle.jpg", "hens.webp", "espresso.jpg"])
def test_missing_exposure_is_found_stop_by_stop(photos, name) -> None:
    picture = cv2.imread(str(photos / name), cv2.IMREAD_COLOR_RGB)
    found = [missing(exposed(picture, -stops)).exposure for stops in (2, 3, 4)]
    assert np.diff(found) == pytest.approx([1, 1], abs=0.1)
    assert found[0] == pytest.approx(2, abs=0.5)


def test_a_well_exposed_photograph_lacks_nothing(photos) -> None:
    assert missing(cv2.imread(str(photos / "castle.jpg"), cv2.IMREAD_COLOR_RGB)) == MissingLight(0, 0)


def test_darkness_around_a_light_is_lifted_not_exposed() -> None:
    night = np.full((200, 200, 3), 15, np.uint8)
    night[:40, :40] = 250
    light = missing(night)
    assert light.exposure == 0
    assert light.lift == 3
    assert light.stops == 3


def test_black_asks_for_no_more_than_the_most() -> None:
    assert missing(np.zeros((50, 50, 3), np.uint8)) == MissingLight(5, 1)


def test_the_map_is_the_largest_colour_smoothed_within_edges() -> None:
    random = np.random.default_rng(4)
    picture = np.zeros((402, 601, 3), np.uint8)
    picture[:, :300] = (40, 20, 10)
    picture[:, 300:] = (60, 90, 120)
    noisy = np.clip(picture + random.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
    light = Illumination(half_size(noisy))
    rows = slice(96, 192)
    found = light.rows(rows, np.ascontiguousarray(to_planes(noisy[rows])[..., 0]))
    assert found.shape == (96, 601)
    assert found[:, 10:290].mean() == pytest.approx(40, abs=2)
    assert found[:, 310:590].mean() == pytest.approx(120, abs=2)
    assert found[:, 296].mean() < 50
    assert found[:, 304].mean() > 110
    assert found[:, 40:260].std() < 1
