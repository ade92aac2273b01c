"""The scene without the fog before it, at full size and in stripes: J = (I - A) / t + A, but noise isn't stretched with it.

Where nothing is to be seen (`transmission.emptiness`), whatever is fine or coloured is noise, steps of 8 bits, JPEG's blocks and
their patches of colour. So a pixel's difference from the airlight is divided: the luma S of its surroundings, smoothed but for
edges by the guided filter with itself as the guide, is stretched by 1 / t everywhere; what remains by c, which is less there:

    J = A + c · (I - A) + (1 / t - c) · (S - A's luma),   c = 1 + share · (1 / t - 1)

With a share of 1 that is the equation above.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.filters import Map, RowEnlarger, guided_coefficients
from gateway.engines.steps import Checkpoint

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_RADIUS, _EDGE = 2, 1e-4
_SURROUNDINGS, _SURROUNDINGS_EDGE = 6, 3e-4
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
_STRIPE_PIXELS: Final = 1 << 16
"""Small enough that a stripe's planes stay in the processor's cache."""
_STRIPES_A_STEP: Final = 16


@dataclass(frozen=True, slots=True)
class Fog:
    """What lies before the scene, found in the reduced picture (h × w)."""

    air: Floats
    """Its colour, 3, 0–1."""
    transmission: Map
    """Above 0, up to 1."""
    detail_share: Map
    """0–1: how much of the stretching what is fine and coloured takes part in."""


def recovered(pixels: Pixels, reduced: Pixels, fog: Fog, exponent: float, checkpoint: Checkpoint) -> Pixels:
    """Return the picture without `fog`, its samples (0–1) then raised to `exponent`.

    `pixels`: H × W × 3, RGB, 0–255; `reduced`: the same as h × w × 3.
    """
    height, width = pixels.shape[:2]
    guide = _luma(reduced)
    maps = (
        *guided_coefficients(guide, fog.transmission, _RADIUS, _EDGE),
        *guided_coefficients(guide, guide, _SURROUNDINGS, _SURROUNDINGS_EDGE),
        fog.detail_share,
    )
    enlargers = [RowEnlarger(of, width, height) for of in maps]
    least, air_luma = float(fog.transmission.min()), float(fog.air @ _LUMA)
    result = np.empty_like(pixels)
    rows = max(1, _STRIPE_PIXELS // width)
    for number, start in enumerate(range(0, height, rows)):
        if number % _STRIPES_A_STEP == 0:
            checkpoint()
        stop = min(start + rows, height)
        stripe = np.ascontiguousarray(pixels[start:stop])
        luma = _luma(stripe)
        through, offset, surroundings, surroundings_offset, stretch = (of.rows(start, stop) for of in enlargers)
        through *= luma
        through += offset
        np.clip(through, least, 1, out=through)
        gain = np.float32(1) / through
        stretch *= gain - 1
        stretch += 1
        surroundings *= luma
        surroundings += surroundings_offset
        surroundings -= np.float32(air_luma)
        surroundings *= (gain - stretch) * np.float32(255)
        kept = 1 - stretch
        planes = []
        for channel, light in zip(cv2.split(stripe), fog.air, strict=True):
            plane = cv2.scaleAdd(kept, float(light) * 255, surroundings)
            planes.append(cv2.add(plane, cv2.multiply(channel, stretch, dtype=cv2.CV_32F)))
        result[start:stop] = _samples(np.asarray(cv2.merge(planes)), exponent)
    return result


def _luma(picture: Pixels) -> Map:
    """0–1."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(1 / 255)


def _samples(values: Floats, exponent: float) -> Pixels:
    """Values of 0–255, and some beyond, after gamma correction, rounded."""
    if exponent != 1:
        values = np.asarray(cv2.pow(np.clip(values, 0, 255) / np.float32(255), exponent)) * np.float32(255)
    return np.asarray(cv2.addWeighted(values, 1, values, 0, 0, dtype=cv2.CV_8U))
