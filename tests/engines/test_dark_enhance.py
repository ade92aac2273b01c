"""Light, noise and colours on pictures whose truth is known, and whatever shape a picture may have."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engines import planes
from gateway.engines.dark_enhance import enhance_dark
from gateway.engines.steps import Cancelled

CODES = np.arange(256) / 255
LINEAR = np.where(CODES <= 0.04045, CODES / 12.92, ((CODES + 0.055) / 1.055) ** 2.4)


def photograph(photos, name="castle.jpg") -> np.ndarray:
    return cv2.resize(cv2.imread(str(photos / name), cv2.IMREAD_COLOR_RGB), (480, 360), interpolation=cv2.INTER_AREA)


def underexposed(truth: np.ndarray, stops: float, *, electrons: float = 4000, seed: int = 1) -> np.ndarray:
    """With shot noise, as a camera would have taken it."""
    light = np.random.default_rng(seed).poisson(LINEAR[truth] / 2**stops * electrons) / electrons
    light = np.clip(light, 0, 1)
    return np.rint(255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("name", ["castle.jpg", "dog.jpg", "espresso.jpg"])
@pytest.mark.parametrize("stops", [2, 3, 4])
def test_underexposed_photographs_come_back(photos, name, stops) -> None:
    truth = photograph(photos, name)
    dark = underexposed(truth, stops)
    assert psnr(enhance_dark(dark), truth) > psnr(dark, truth) + 8


@pytest.mark.parametrize("name", ["bee.jpg", "castle.jpg", "clock.bmp", "hens.webp", "phone-dogs.jpg", "mountains.jpg"])
def test_well_lit_photographs_are_left_alone(photos, name) -> None:
    picture = photograph(photos, name)
    assert np.array_equal(enhance_dark(picture), picture)


def test_it_grows_brighter_with_brightness_in_every_sample(photos) -> None:
    dark = underexposed(photograph(photos), 3.5)
    steps = [enhance_dark(dark, brightness=step / 8).astype(int) for step in range(9)]
    assert all((after >= before).all() for before, after in pairwise(steps))
    means = [step.mean() for step in steps]
    assert all(after > before + 1 for before, after in pairwise(means))


def test_without_brightness_no_light_is_added(photos) -> None:
    dark = underexposed(photograph(photos), 3)
    kept = enhance_dark(dark, brightness=0)
    assert abs(kept.mean() - dark.mean()) < 0.5
    assert psnr(kept, dark) > 38


def test_noise_grows_less_than_light() -> None:
    random = np.random.default_rng(5)
    steps = np.repeat(np.array([6, 14, 25, 40]), 100)
    dark = np.clip(steps[np.newaxis, :, np.newaxis] + random.normal(0, 2, (240, 400, 3)), 0, 255).round().astype(np.uint8)
    light = enhance_dark(dark)
    for patch in range(1, 4):
        inner = np.s_[20:-20, patch * 100 + 20 : patch * 100 + 80]
        before, after = LINEAR[dark][inner], LINEAR[light][inner]
        assert after.mean() > 3 * before.mean()
        assert after.std() / after.mean() < 0.4 * before.std() / before.mean()


def test_an_edge_stays_sharp_and_has_no_halo() -> None:
    random = np.random.default_rng(6)
    clean = np.where(np.arange(400) < 200, 8, 60)
    dark = np.clip(clean[np.newaxis, :, np.newaxis] + random.normal(0, 1, (300, 400, 3)), 0, 255).round().astype(np.uint8)
    profile = enhance_dark(dark).astype(float).mean(axis=(0, 2))
    left, right = profile[50:150].mean(), profile[250:350].mean()
    assert right > left + 60
    assert abs(profile[150:197] - left).max() < 6
    assert abs(profile[203:250] - right).max() < 6


def test_colours_keep_their_hue() -> None:
    colours = np.array([[194, 60, 50], [60, 150, 70], [50, 80, 170], [230, 200, 40], [150, 70, 140], [240, 240, 240]], np.uint8)
    truth = colours[np.newaxis].repeat(60, axis=1).repeat(120, axis=0)
    light = enhance_dark(underexposed(truth, 3, electrons=20000)).astype(float)
    for index, colour in enumerate(colours):
        found = light[20:-20, index * 60 + 15 : index * 60 + 45].mean(axis=(0, 1))
        linear = np.interp(found, np.arange(256), LINEAR)
        expected = LINEAR[colour]
        assert np.allclose(linear / linear.sum(), expected / expected.sum(), atol=0.02), colour


def test_a_lamp_does_not_burn_out_what_is_around_it() -> None:
    scene = np.full((300, 400, 3), 12, np.uint8)
    scene[100:200, 150:250] = np.linspace(200, 240, 100).astype(np.uint8)[np.newaxis, :, np.newaxis]
    light = enhance_dark(scene)
    assert light[20:80, 20:380].mean() > 36
    assert (light >= scene).all()
    lamp = light[150, 160:240, 0].astype(int)
    assert lamp.max() < 255
    assert lamp[-10:].mean() > lamp[:10].mean() + 4


def test_grey_stays_grey() -> None:
    grey = np.random.default_rng(3).integers(0, 40, (97, 131, 1)).astype(np.uint8).repeat(3, axis=2)
    light = enhance_dark(grey)
    assert np.ptp(light.astype(int), axis=2).max() == 0
    assert light.mean() > 2 * grey.mean()


@pytest.mark.parametrize("code", [0, 1, 20, 127, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (97, 5)])
def test_a_plain_picture_stays_plain(shape, code) -> None:
    light = enhance_dark(np.full((*shape, 3), code, np.uint8))
    assert light.shape == (*shape, 3)
    assert light.min() == light.max() >= code
    if code in {0, 255}:
        assert light.min() == code


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 220), st.integers(1, 220), st.sampled_from([1, 4, 30, 256]), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_any_picture_of_any_size(height, width, below, brightness, seed) -> None:
    picture = np.random.default_rng(seed).integers(0, below, (height, width, 3), dtype=np.uint8)
    given_ = picture.copy()
    light = enhance_dark(picture, brightness=brightness)
    assert (light.shape, light.dtype) == (picture.shape, np.uint8)
    assert np.array_equal(picture, given_)
    assert light.mean() >= picture.mean() - 1


def test_views_are_pictures_too(photos) -> None:
    dark = underexposed(photograph(photos), 3)
    assert np.array_equal(enhance_dark(dark[:, ::-1, ::-1][:, ::-1, ::-1]), enhance_dark(dark))


def test_threads_do_not_disturb_each_other(photos) -> None:
    dark = [underexposed(photograph(photos), stops) for stops in (2, 2.5, 3, 3.5)]
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(light, enhance_dark(of)) for of, light in zip(dark, pool.map(enhance_dark, dark), strict=True))


@pytest.mark.parametrize("rows", [32, 1024])
def test_stripes_leave_no_seam(photos, monkeypatch, rows) -> None:
    dark = underexposed(photograph(photos)[:341, :479], 3)
    whole = enhance_dark(dark)
    monkeypatch.setattr(planes, "STRIPE", rows)
    assert np.array_equal(enhance_dark(dark), whole)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3), np.float32)],
)
def test_other_arrays_are_refused(picture) -> None:
    with pytest.raises(ValueError, match="height x width x 3"):
        enhance_dark(picture)


@pytest.mark.parametrize("brightness", [-0.01, 1.01, float("nan"), float("inf")])
def test_other_brightness_is_refused(brightness) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        enhance_dark(np.zeros((4, 4, 3), np.uint8), brightness=brightness)


def test_it_is_given_up_at_any_of_its_steps(photos) -> None:
    dark = underexposed(photograph(photos), 3)
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    enhance_dark(dark, checkpoint=count)
    assert calls >= 2 * (dark.shape[0] // planes.STRIPE)
    for last in range(calls):
        left = last

        def stop() -> None:
            nonlocal left
            if left == 0:
                raise Cancelled
            left -= 1

        with pytest.raises(Cancelled):
            enhance_dark(dark, checkpoint=stop)
