"""The colour of fog: what a thing infinitely far away in it would look like.

He, Sun and Tang ("Single Image Haze Removal Using Dark Channel Prior", CVPR 2009, section 4.4) take it from the pixels whose
surroundings are brightest in their darkest channel, which keeps small white objects out, but not white houses, or clouds. So
the hue is theirs, and the brightness a weighted sum of quantiles of the picture, with weights fitted on photographs in haze
whose airlight is known (`bench/engines/defog/train.py`), within bounds around theirs.
"""

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.filters import Map, box_mean, highest_channel, lowest_channel

PATCH = 11
"""Side of the squares whose darkest value is the dark channel, in pixels of a picture of 400."""

_MOST_OPAQUE = 0.01
_TINT = 0.7
"""Share of the measured tint that is kept: part of it is the scene's."""
_LOWEST, _HIGHEST = 0.8, 1.15
_SKY_WINDOW, _SKY_TINT, _SKY_CONTRAST, _SKY_SHARE = 15, 0.12, 0.02, 0.1
_SKY_SLACK, _SKY_DARKEST = 1.05, 0.85


def airlight(scene: npt.NDArray[np.float32], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the fog's colour (RGB) in a reduced picture `scene` (H × W × 3, RGB, 0–1): 0.05–1 each.

    `weights`: of the `brightness_features`, and a constant at their end.
    """
    measured = opaque_colour(scene)
    features = brightness_features(scene, measured)
    brightness = float(features @ weights[:-1] + weights[-1])
    seen = float(measured.mean())
    # An all-black picture has no fog; any positive colour will do.
    bounded = max(min(max(brightness, _LOWEST * seen), _HIGHEST * seen, _sky_ceiling(scene, seen)), 0.05)
    tint = measured / max(seen, 1e-3) if seen > 0 else np.ones(3, np.float32)
    return np.asarray(np.clip(bounded * (1 + _TINT * (tint - 1)), 0.05, 1), np.float32)


def opaque_colour(scene: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the median colour where the dark channel is highest: where fog hides most, but for a few white things."""
    dark = dark_channel(lowest_channel(scene))
    count = max(1, round(dark.size * _MOST_OPAQUE))
    brightest = np.argpartition(dark.ravel(), -count)[-count:]
    return np.asarray(np.median(scene.reshape(-1, 3)[brightest], axis=0), np.float32)


def brightness_features(scene: npt.NDArray[np.float32], opaque: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the 13 figures about a picture that the brightness of its airlight is foretold from."""
    lightness, highest, lowest = scene.mean(axis=2), highest_channel(scene), lowest_channel(scene)
    figures = [
        opaque.mean(),
        *np.percentile(lightness, (5, 50, 95, 99, 99.9)),
        *np.percentile(dark_channel(lowest), (5, 50, 95)),
        *np.percentile(highest, (50, 99)),
        (1 - lowest / (highest + 1e-3)).mean(),
        np.abs(lightness - box_mean(lightness, PATCH)).mean() * 5,
    ]
    return np.array(figures, np.float32)


def _sky_ceiling(scene: npt.NDArray[np.float32], seen: float) -> float:
    """Return the most that the airlight can be by what seems to be a foggy sky; infinite where there is none.

    A grey sky is fog all the way: it may hardly be brighter than the airlight, but, unlike a white house, it isn't darker.
    """
    lightness, highest = scene.mean(axis=2), highest_channel(scene)
    mean = box_mean(lightness, _SKY_WINDOW)
    variance = box_mean(lightness * lightness, _SKY_WINDOW) - mean * mean
    grey = (highest - lowest_channel(scene) < _SKY_TINT * highest) & (variance < _SKY_CONTRAST**2)
    if np.count_nonzero(grey) < _SKY_SHARE * grey.size:
        return float("inf")
    brightest = float(np.percentile(lightness[grey], 95))
    return brightest * _SKY_SLACK if brightest > _SKY_DARKEST * seen else float("inf")


def dark_channel(lowest: Map, patch: int = PATCH) -> Map:
    """Return the lowest value in a square of side `patch` around each pixel of `lowest`, itself the lowest of the channels."""
    return np.asarray(cv2.erode(lowest, np.ones((patch, patch), np.uint8)), np.float32)
