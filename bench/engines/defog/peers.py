"""What fog removal is compared with: the dark channel prior as its paper has it, and local contrast stretching."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

OMEGA, PATCH, LEAST, RADIUS, EDGE, OPAQUE = 0.95, 15, 0.1, 60, 1e-4, 0.001  # those of the papers


TUNED_OMEGA = 0.8


def dark_channel_prior(picture: Pixels) -> Pixels:
    """He, Sun and Tang, CVPR 2009, at full size, refined with the guided filter of their paper of 2013 (grey guide)."""
    # The airlight is the brightest of the most opaque pixels.
    return _dark_channel_prior(picture, OMEGA, lambda opaque: max(opaque, key=lambda colour: float(colour.sum())))


def tuned_dark_channel_prior(picture: Pixels) -> Pixels:
    """The same as good as two changes make it on `photographs.TUNED_ON`: a lower ω, and the mean of the most opaque pixels."""
    return _dark_channel_prior(picture, TUNED_OMEGA, lambda opaque: opaque.mean(axis=0))


def _dark_channel_prior(picture: Pixels, omega: float, airlight: Callable[[Floats], Floats]) -> Pixels:
    scene = picture.astype(np.float32) / 255
    square = np.ones((PATCH, PATCH), np.uint8)
    dark = cv2.erode(scene.min(axis=2), square)
    opaque = np.argsort(dark, axis=None)[-max(1, round(dark.size * OPAQUE)) :]
    air = airlight(scene.reshape(-1, 3)[opaque]).clip(0.05)
    rough = 1 - omega * cv2.erode((scene / air).min(axis=2), square)
    guide = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)

    def mean(of: Floats) -> Floats:
        return np.asarray(cv2.blur(of, (2 * RADIUS + 1, 2 * RADIUS + 1)), np.float32)

    slope = (mean(guide * rough) - mean(guide) * mean(rough)) / (mean(guide * guide) - mean(guide) ** 2 + EDGE)
    offset = mean(rough) - slope * mean(guide)
    through = np.clip(mean(slope) * guide + mean(offset), LEAST, 1)[..., np.newaxis]
    return np.clip(np.rint(((scene - air) / through + air) * 255), 0, 255).astype(np.uint8)


def clahe(picture: Pixels) -> Pixels:
    """OpenCV's contrast-limited adaptive histogram equalisation of the lightness (clip limit 2, 8 × 8 tiles)."""
    planes = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    planes[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(planes[..., 0])
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_LAB2RGB), np.uint8)
