import numpy as np
import pytest

from gateway.engines.tagging.layout import BANDS, FIGURES, layout


def plain(*colour: int) -> np.ndarray:
    return np.full((120, 160, 3), colour, dtype=np.uint8)


def strips(figures: np.ndarray) -> np.ndarray:
    return figures[: 6 * BANDS].reshape(BANDS, 6)


@pytest.mark.parametrize("shape", [(120, 160), (1, 1), (15, 640), (640, 15)])
def test_there_are_as_many_figures_whatever_the_size(shape) -> None:
    figures = layout(np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert figures.shape == (FIGURES,)
    assert np.isfinite(figures).all()


def test_a_plain_picture_is_flat_and_the_same_everywhere() -> None:
    figures = layout(plain(40, 90, 200))
    assert np.ptp(strips(figures), axis=0) == pytest.approx(0)
    assert strips(figures)[0, [1, 5]] == pytest.approx(0)  # no deviation, no contrast
    dark, light, flat, blue, green, warm = figures[6 * BANDS : 6 * BANDS + 6]
    assert (dark, light, flat, blue, green, warm) == (0, 0, 1, 1, 0, 0)


def test_light_above_and_dark_below_differ_from_dark_above_and_light_below() -> None:
    picture = np.concatenate([plain(250, 250, 250), plain(5, 5, 5)])
    lightness = strips(layout(picture))[:, 0]
    assert lightness[0] > 0.9
    assert lightness[-1] < 0.1
    assert strips(layout(picture[::-1]))[:, 0] == pytest.approx(lightness[::-1], abs=0.01)


@pytest.mark.parametrize(("colour", "part"), [((5, 5, 5), 0), ((255, 255, 255), 1), ((30, 140, 20), 4), ((230, 120, 30), 5)])
def test_parts_of_a_colour(colour, part) -> None:
    figures = layout(plain(*colour))[6 * BANDS : 6 * BANDS + 6]
    assert figures[part] == 1
