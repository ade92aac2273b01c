"""Noise and hue on flat patches, where both can be told apart from what is seen."""

import cv2
import numpy as np
from numpy.typing import NDArray

PATCH = 96
COLOURS = np.array(
    [
        [115, 82, 68], [194, 150, 130], [98, 122, 157], [87, 108, 67], [133, 128, 177], [103, 189, 170],
        [214, 126, 44], [80, 91, 166], [193, 90, 99], [94, 60, 108], [157, 188, 64], [224, 163, 46],
        [56, 61, 150], [70, 148, 73], [175, 54, 60], [231, 199, 31], [187, 86, 149], [8, 133, 161],
        [243, 243, 242], [200, 200, 200], [160, 160, 160], [122, 122, 121], [85, 85, 85], [52, 52, 52],
    ],
    np.uint8,
)  # fmt: skip
"""The published sRGB codes of the 24 patches of the usual colour chart; the last six are grey."""


def chart() -> NDArray[np.uint8]:
    """4 rows of 6 patches."""
    return COLOURS.reshape(4, 6, 3).repeat(PATCH, axis=0).repeat(PATCH, axis=1)


def relative_noise(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Deviation of linear luminance over its mean, per patch, of its inner part."""
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    patches = [_inner(luminance, i) for i in range(len(COLOURS))]
    return np.array([patch.std() / max(patch.mean(), 1e-6) for patch in patches])


def hue_errors(pixels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Degrees of CIELAB hue between the means of the 18 coloured patches of two charts."""
    hues = [np.array([_hue(_inner(of, i).mean(axis=(0, 1))) for i in range(18)]) for of in (pixels, truth)]
    difference = np.abs(hues[0] - hues[1])
    return np.minimum(difference, 360 - difference)


def _inner(of: NDArray, index: int) -> NDArray:
    top, left = (index // 6) * PATCH, (index % 6) * PATCH
    rim = PATCH // 6
    return of[top + rim : top + PATCH - rim, left + rim : left + PATCH - rim]


def _hue(colour: NDArray[np.float64]) -> float:
    _, red_green, yellow_blue = cv2.cvtColor((colour / 255).astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    return float(np.degrees(np.arctan2(yellow_blue, red_green)))
