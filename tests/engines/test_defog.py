"""Fog removal on a photograph in haze that is known, on pictures without any, and on what isn't a photograph at all."""

import cv2
import numpy as np
import pytest

from gateway.engines import defog as engine
from gateway.engines.airlight import airlight
from gateway.engines.defog import defog
from gateway.engines.steps import Cancelled


@pytest.fixture(scope="module")
def clear(photos) -> np.ndarray:
    """A château under a cloudy sky; kept out of what the engine was fitted on."""
    return cv2.imread(str(photos / "castle.jpg"), cv2.IMREAD_COLOR_RGB)


def hazy(clear: np.ndarray, transmission: np.ndarray | float, light: tuple[float, float, float]) -> np.ndarray:
    through = np.broadcast_to(np.float32(transmission), clear.shape[:2])[..., np.newaxis]
    return np.rint(clear * through + np.float32(light) * (1 - through)).astype(np.uint8)


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((picture.astype(float) - truth) ** 2), 1e-9)))


def slope(shape: tuple[int, ...]) -> np.ndarray:
    """Dense above, thin below."""
    return np.broadcast_to(np.linspace(0.3, 0.9, shape[0], dtype=np.float32)[:, np.newaxis], shape[:2])


@pytest.mark.parametrize("uneven", [False, True])
def test_haze_is_taken_out(clear, uneven) -> None:
    foggy = hazy(clear, slope(clear.shape) if uneven else 0.5, (215, 218, 222))
    assert psnr(defog(foggy), clear) > psnr(foggy, clear) + 5


def test_a_clear_photograph_stays_as_it_is(clear) -> None:
    assert psnr(defog(clear), clear) > 35


def test_the_strong_look_takes_more_out(clear) -> None:
    foggy = hazy(clear, slope(clear.shape), (215, 218, 222))
    natural, strong = defog(foggy), defog(foggy, natural_look=False)
    assert strong.std() > natural.std() > foggy.std()
    assert strong.mean() < natural.mean()


def test_white_houses_are_not_taken_for_the_air(clear) -> None:
    def light(picture: np.ndarray) -> np.ndarray:
        return airlight(engine._reduced(picture).astype(np.float32) / 255, engine._model().airlight) * 255

    foggy = hazy(clear, slope(clear.shape) * 0.6, (175, 175, 175))
    without = light(foggy)
    foggy[-50:, 100:130] = foggy[-50:, 300:330] = foggy[-50:, 600:630] = 250
    assert light(foggy) == pytest.approx(without, rel=0.08)


def test_gamma_brightens_the_result(clear) -> None:
    foggy = hazy(clear, 0.5, (215, 218, 222))
    means = [float(defog(foggy, gamma=gamma).mean()) for gamma in (0.1, 0.75, 1.5, 3, 10)]
    assert means == sorted(means)
    assert means[-1] > means[2] + 50
    assert means[0] < means[2] - 50


@pytest.mark.parametrize("gamma", [0.1, 1.5, 2.2, 10])
def test_gamma_is_a_power_of_the_samples(gamma) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (160, 200, 3), np.uint8)  # something is dark everywhere: no fog
    expected = np.rint((noise / 255) ** (1.5 / gamma) * 255)
    assert np.abs(defog(noise, gamma=gamma) - expected).max() == 0


def test_both_ways_of_rendering_agree(clear) -> None:
    foggy = hazy(clear, 0.6, (215, 218, 222))
    neutral = defog(foggy)
    expected = (neutral / 255) ** (1.5 / 2) * 255
    bright = neutral > 60  # below, a sample's rounding is worth more than one
    assert np.abs(defog(foggy, gamma=2.0) - expected)[bright].max() <= 2


@pytest.mark.parametrize("natural_look", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (2, 3), (15, 15), (33, 2000), (401, 399)])
@pytest.mark.parametrize("kind", ["black", "white", "grey", "noise"])
def test_any_size_and_content_gives_a_picture(size, kind, natural_look) -> None:
    made = {"black": 0, "white": 255, "grey": 128}
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    if kind in made:
        pixels[:] = made[kind]
    before = pixels.copy()
    result = defog(pixels, natural_look=natural_look)
    assert (result.shape, result.dtype) == (pixels.shape, np.uint8)
    assert (pixels == before).all()
    if kind in ("black", "white") or (kind == "grey" and natural_look):
        assert np.abs(result.astype(int) - pixels).max() <= 40


def test_a_grey_picture_stays_grey(clear) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(clear, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    result = defog(hazy(grey, 0.5, (215, 215, 215))).astype(int)
    assert np.ptp(result, axis=2).max() <= 1


def test_a_part_of_a_larger_array_is_as_good_as_a_copy(clear) -> None:
    foggy = hazy(clear, 0.5, (215, 218, 222))
    turned = foggy[::-1, 40:]
    assert (defog(turned) == defog(np.ascontiguousarray(turned))).all()


def test_a_smooth_sky_gets_no_bands() -> None:
    rows = np.linspace(205, 150, 600, dtype=np.float32)[:, np.newaxis, np.newaxis]
    sky = np.rint(np.broadcast_to(rows + np.float32([0, 2, 6]), (600, 400, 3))).astype(np.uint8)
    sky[450:] = np.random.default_rng(2).integers(90, 150, (150, 400, 3), np.uint8)
    result = defog(sky).astype(int)[:380, :, 1]
    assert np.abs(np.diff(result, axis=0)).max() <= 4  # a step of the input is 1; the least transmission in skies 0.5
    assert np.ptp(result, axis=1).max() <= 8


def fog_behind(thing: np.ndarray) -> np.ndarray:
    """Smooth fog, paler above, over textured ground that it lies on thinly, and `thing` in the middle of it."""
    rng = np.random.default_rng(5)
    picture = np.broadcast_to(np.linspace(195, 150, 600, dtype=np.float32)[:, np.newaxis, np.newaxis], (600, 900, 3)).copy()
    picture[480:] = rng.uniform(60, 150, (15, 90, 3)).astype(np.float32).repeat(8, axis=0).repeat(10, axis=1)
    top, left = 200, 450 - thing.shape[1] // 2
    picture[top : top + thing.shape[0], left : left + thing.shape[1]] = thing
    return np.rint(cv2.GaussianBlur(picture, (0, 0), 0.8) + rng.normal(0, 0.7, picture.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("natural_look", [True, False])
@pytest.mark.parametrize("lightness", [40, 245])
def test_nothing_gets_a_rim_where_it_stands_in_fog(lightness, natural_look) -> None:
    texture = np.random.default_rng(6).uniform(-10, 10, (280, 300, 1)).astype(np.float32)
    result = defog(fog_behind(lightness + texture), natural_look=natural_look).astype(np.float32).mean(axis=2)
    beside = result[240:420].mean(axis=0)[40:298]  # the thing begins at 300
    assert np.ptp(beside[:-13]) <= 5
    assert np.ptp(beside) <= 20
    above = result[:190, 350:550].mean(axis=1)
    assert np.diff(above[::10]).max() <= 0  # fog that grew darker downwards still does


@pytest.mark.parametrize("natural_look", [True, False])
def test_a_foggy_sky_s_noise_and_jpeg_blocks_are_not_stretched_with_it(natural_look) -> None:
    foggy = fog_behind(np.zeros((0, 0, 3), np.float32)).astype(np.float32)
    rng = np.random.default_rng(7)
    patches = cv2.resize(rng.normal(0, 2, (12, 18, 3)).astype(np.float32), (900, 600), interpolation=cv2.INTER_NEAREST)
    foggy += (patches - patches.mean(axis=2, keepdims=True)) * 1.5 + rng.normal(0, 1.5, foggy.shape).astype(np.float32)
    _, encoded = cv2.imencode(".jpg", foggy.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])
    given = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    made = defog(given, natural_look=natural_look)

    def roughness(picture: np.ndarray) -> np.ndarray:
        """Of luma and the two chromas, without slopes over more than 40 pixels."""
        planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb).astype(np.float32)
        return (planes - cv2.blur(planes, (40, 40)))[20:440].std(axis=(0, 1))

    grown = roughness(made) / roughness(given)
    assert grown.max() <= 2.2
    assert made[20:440].std() > given[20:440].std()  # it is its slope that is


@pytest.mark.parametrize(
    ("pixels", "gamma", "said"),
    [
        (np.zeros((4, 4), np.uint8), 1.5, "H × W × 3"),
        (np.zeros((4, 4, 4), np.uint8), 1.5, "H × W × 3"),
        (np.zeros((4, 4, 3), np.float32), 1.5, "uint8"),
        (np.zeros((0, 4, 3), np.uint8), 1.5, "H × W × 3"),
        (np.zeros((4, 4, 3), np.uint8), 0.09, "gamma"),
        (np.zeros((4, 4, 3), np.uint8), 10.1, "gamma"),
        (np.zeros((4, 4, 3), np.uint8), float("nan"), "gamma"),
    ],
)
def test_what_is_no_picture_or_no_gamma_is_refused(pixels, gamma, said) -> None:
    with pytest.raises(ValueError, match=said):
        defog(pixels, gamma=gamma)


@pytest.mark.parametrize("calls", [1, 2, 3, 4])
def test_it_can_be_given_up_between_steps(clear, calls) -> None:
    foggy = hazy(cv2.resize(clear, (2400, 1800)), 0.5, (215, 218, 222))
    left = iter(range(calls - 1))

    def checkpoint() -> None:
        if next(left, None) is None:
            raise Cancelled

    with pytest.raises(Cancelled):
        defog(foggy, checkpoint=checkpoint)
