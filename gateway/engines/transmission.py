"""How much of the scene's own light comes through the fog, for each pixel: the dark channel prior with a fitted trust in it.

In most of any clear picture something within a few pixels is dark in at least one channel, so what light is there was added
by fog: t = 1 - ω · (dark channel / airlight) (He, Sun, Tang, CVPR 2009, equation 12). Its minimum filter makes dark things
wider, so that the fog around them seems thinner and stays as a rim; a maximum filter after it gives them their outlines back.
The authors take ω = 0.95 everywhere, which takes a grey sky, a white wall or a bright close-up for fog. Here ω is foretold for
each pixel from what tells fog from bright things: dark channels and contrasts at several scales, saturation, and the same of the
whole picture; the features are those of K. Tang, J. Yang, J. Wang, "Investigating Haze-Relevant Features in a Learning Framework
for Image Dehazing", CVPR 2014, the regression a network of two small layers, fitted by `bench/engines/defog/train.py`.
"""

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.airlight import PATCH, dark_channel
from gateway.engines.filters import Map, box_mean, highest_channel, lowest_channel
from gateway.engines.global_smoother import GlobalSmoother

SMOOTHING, OUTLINE = 4000.0, 0.03
"""How far maps of the reduced picture are evened out, and across what not: see `GlobalSmoother`."""

STEP = 2
"""Features are taken at every other pixel of the reduced picture: what is foretold from them is smooth."""

_DARK_SCALES = (3, 9, 21, 45)
_BRIGHT_SCALES = (9, 21, 45)
_CONTRAST_SCALES = (5, 15, 45)
_FINER_THAN, _EMPTY_WINDOW, _CORE = 9, 21, 3
_EMPTY_CONTRAST, _CORE_CONTRAST = 0.008, 0.03
_MIXED_WINDOW, _LEAST_OWN = 61, np.float32(0.02)


def haze(scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32]) -> Map:
    """Return the share of the airlight that the dark channel would explain by fog, 0–1: its opening, in squares.

    `scene`: the reduced picture (H × W × 3, RGB, 0–1); `air`: the airlight.
    """
    return _highest_around(dark_channel(lowest_channel(np.minimum(scene / air, 1))), PATCH)


def trust(
    scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32], layers: tuple[npt.NDArray[np.float32], ...], empty: Map
) -> Map:
    """Return ω, 0–1, for each pixel of the reduced picture.

    `layers`: weights and biases of three layers, alternating; `empty`: the `emptiness`.
    """
    height, width = scene.shape[:2]
    sampled = features(scene, air)
    values = sampled.reshape(-1, sampled.shape[2])
    for index in range(0, len(layers), 2):
        # Stays on this thread; NumPy's and cv2's own products wake threads of OpenBLAS, which then spin for a tenth of a second.
        values = np.einsum("ij,kj->ik", values, np.ascontiguousarray(layers[index].T)) + layers[index + 1]
        if index < len(layers) - 2:
            values = np.maximum(values, 0)
    shares = np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), np.float32).reshape(sampled.shape[:2])
    # In fog beside an outline the features are half those of the thing: there, the fog further off says what ω is.
    others = box_mean(_fine_energy(scene), _MIXED_WINDOW) / np.float32(_EMPTY_CONTRAST**2)
    own = np.maximum(1 - empty * (1 - np.exp(-others)), _LEAST_OWN)[::STEP, ::STEP]
    smoother = GlobalSmoother(scene[::STEP, ::STEP], SMOOTHING / STEP**2, OUTLINE)
    (evened,) = smoother.smooth(shares, weights=own)
    return np.asarray(cv2.resize(evened, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def emptiness(scene: npt.NDArray[np.float32]) -> Map:
    """Return how surely nothing is to be seen at each pixel of the reduced picture, 0–1: skies, and fog that hides all.

    Slopes of brightness, and soft clouds, are nothing; of the windows that a pixel lies in the smoothest counts, so that a sky
    is empty up to the outlines of what stands before it, where the pixel's own neighbours decide.
    """
    energy = _fine_energy(scene)
    smoothest = np.asarray(cv2.erode(box_mean(energy, _EMPTY_WINDOW), np.ones((_EMPTY_WINDOW, _EMPTY_WINDOW), np.uint8)))
    core = box_mean(energy, _CORE)
    return np.asarray(np.exp(-smoothest / _EMPTY_CONTRAST**2 - core / _CORE_CONTRAST**2), np.float32)


def features(scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return 23 features of every `STEP`th pixel of the reduced picture (⌈H/STEP⌉ × ⌈W/STEP⌉ × 23)."""
    relative = np.minimum(scene / air, 1.6).astype(np.float32)
    lowest, highest, lightness = lowest_channel(relative), highest_channel(relative), relative.mean(axis=2)
    saturation = 1 - lowest / (highest + np.float32(1e-3))
    dark = [box_mean(dark_channel(lowest, side), side) for side in _DARK_SCALES]
    bright = [box_mean(_highest_around(highest, side), side) for side in _BRIGHT_SCALES]
    contrast = [_contrast(lightness, side) for side in _CONTRAST_SCALES]
    vivid = [box_mean(saturation, 9), box_mean(_highest_around(saturation, 9), 21)]
    here = [channel[::STEP, ::STEP] for channel in (lowest, highest, *dark, *bright, *contrast, *vivid)]
    whole = [
        *np.percentile(dark[1], (2, 10, 50, 90)),
        lightness.mean(),
        lightness.std() * 2,
        saturation.mean(),
        contrast[1].mean(),
        air.mean(),
    ]
    return np.stack([*here, *(np.full_like(here[0], figure) for figure in whole)], axis=-1)


def _fine_energy(scene: npt.NDArray[np.float32]) -> Map:
    lightness = scene.mean(axis=2)
    return np.asarray((lightness - box_mean(lightness, _FINER_THAN)) ** 2, np.float32)


def _contrast(lightness: Map, side: int) -> Map:
    mean = box_mean(lightness, side)
    return np.sqrt(np.maximum(box_mean(lightness * lightness, side) - mean * mean, 0)) * np.float32(3)


def _highest_around(of: Map, side: int) -> Map:
    return np.asarray(cv2.dilate(of, np.ones((side, side), np.uint8)), np.float32)
