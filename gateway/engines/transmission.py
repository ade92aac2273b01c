"""How much of the scene's own light comes through the fog, for each pixel: the dark channel prior with a fitted trust in it.

In most of any clear picture something within a few pixels is dark in at least one channel, so what light is there was added
by fog: t = 1 - ω · (dark channel / airlight) (He, Sun, Tang, CVPR 2009, equation 12). They take ω = 0.95 everywhere, which
takes a grey sky, a white wall or a bright close-up for fog. Here ω is foretold for each pixel from what tells fog from bright
things: dark channels and contrasts at several scales, saturation, and the same of the whole picture; the features are those of
K. Tang, J. Yang, J. Wang, "Investigating Haze-Relevant Features in a Learning Framework for Image Dehazing", CVPR 2014,
the regression a network of two small layers, fitted by `bench/engines/defog/train.py`.
"""

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.airlight import dark_channel
from gateway.engines.filters import Map, box_mean, guided_filter

STEP = 2
"""Features are taken at every other pixel of the reduced picture: what is foretold from them is smooth."""

_RADIUS, _EDGE = 25, 1e-3
_NOTHING = np.empty(0, np.float32)
_DARK_SCALES = (3, 9, 21, 45)
_BRIGHT_SCALES = (9, 21, 45)
_CONTRAST_SCALES = (5, 15, 45)
_EMPTY_WINDOW, _EMPTY_CONTRAST = 31, 0.03


def haze(scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32]) -> Map:
    """Return the share of the airlight that the dark channel would explain by fog, 0–1, its edges those of the picture.

    `scene`: the reduced picture (H × W × 3, RGB, 0–1); `air`: the airlight.
    """
    dark = dark_channel(np.minimum(scene / air, 1).min(axis=2))
    return np.clip(guided_filter(scene.mean(axis=2), dark, _RADIUS, _EDGE), 0, 1)


def trust(scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32], layers: tuple[npt.NDArray[np.float32], ...]) -> Map:
    """Return ω, 0–1, for each pixel of the reduced picture. `layers`: weights and biases of three layers, alternating."""
    height, width = scene.shape[:2]
    sampled = features(scene, air)
    values = sampled.reshape(-1, sampled.shape[2])
    for index in range(0, len(layers), 2):
        # cv2's product stays on this thread, unlike NumPy's.
        values = np.asarray(cv2.gemm(values, layers[index], 1, _NOTHING, 0), np.float32) + layers[index + 1]
        if index < len(layers) - 2:
            values = np.maximum(values, 0)
    shares = (1 / (1 + np.exp(-np.clip(values, -30, 30)))).reshape(sampled.shape[:2])
    whole = np.asarray(cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(guided_filter(scene.mean(axis=2), whole, _RADIUS, _EDGE), 0, 1)


def emptiness(scene: npt.NDArray[np.float32]) -> Map:
    """Return how surely nothing is to be seen around each pixel of the reduced picture, 0–1: skies, and fog that hides all."""
    contrast = _contrast(scene.mean(axis=2), _EMPTY_WINDOW)
    return np.asarray(np.exp(-((contrast / np.float32(_EMPTY_CONTRAST)) ** 2)), np.float32)


def features(scene: npt.NDArray[np.float32], air: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return 23 features of every `STEP`th pixel of the reduced picture (⌈H/STEP⌉ × ⌈W/STEP⌉ × 23)."""
    relative = np.minimum(scene / air, 1.6).astype(np.float32)
    lowest, highest, lightness = relative.min(axis=2), relative.max(axis=2), relative.mean(axis=2)
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


def _contrast(lightness: Map, side: int) -> Map:
    mean = box_mean(lightness, side)
    return np.sqrt(np.maximum(box_mean(lightness * lightness, side) - mean * mean, 0)) * np.float32(3)


def _highest_around(of: Map, side: int) -> Map:
    return np.asarray(cv2.dilate(of, np.ones((side, side), np.uint8)), np.float32)
