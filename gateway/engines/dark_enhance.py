"""Dark enhancement: the light that a picture lacks is added in linear light, after its noise was taken out.

Each pixel's red, green and blue are multiplied by one gain, so that colours keep hue and saturation. The gain follows from the
illumination around the pixel, not from the pixel, so that detail keeps its contrast and lights don't burn out.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.illumination import Illumination, MissingLight
from gateway.engines.noise_pyramid import NoisePyramid
from gateway.engines.planes import Pixels, Plane, Planes, half_size, stripes, to_rgb
from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.transfer import FRACTIONS, LINEAR, decoding, encoding

USUAL_BRIGHTNESS: Final = 0.9
"""At which all the light is added that is estimated to be missing."""

_EXPOSING: Final = 4.0
_LIFTING: Final = 1.0
"""How late the curve bends towards white: nearly at white, as an exposure that is longer, or from the start."""


def enhance_dark(pixels: Pixels, *, brightness: float = USUAL_BRIGHTNESS, checkpoint: Checkpoint = never_cancelled) -> Pixels:
    """Return a picture in the light that it lacks. Pictures that lack none come back as they are.

    `pixels`: height × width × 3, RGB, sRGB codes of 0 to 255, at least one pixel. `brightness`: 0 (no light is added, only
    noise is taken out) to 1; of the stops of light that are missing, brightness / 0.9 are added. The larger it is, the brighter
    is every pixel, within rounding. Memory: about seven times the picture's. Raises `ValueError` for other arrays or values, and
    what `checkpoint` raises.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or pixels.dtype != np.uint8:
        msg = f"a picture is a uint8 array of height x width x 3, not {pixels.dtype} {pixels.shape}"
        raise ValueError(msg)
    if not 0 <= brightness <= 1:
        msg = f"brightness is from 0 to 1, not {brightness}"
        raise ValueError(msg)
    half = half_size(pixels, checkpoint)
    light = Illumination(half)
    if not light.missing.stops:
        return pixels.copy()
    checkpoint()
    clean = NoisePyramid(pixels, half, strength=min(light.missing.stops, 1.0), checkpoint=checkpoint)
    gains = _gains(light.missing, brightness / USUAL_BRIGHTNESS)
    enhanced = np.empty_like(pixels)
    for stripe in stripes(pixels.shape[0]):
        checkpoint()
        planes = clean.rows(stripe)
        gain = cv2.LUT(_fixed_point(light.rows(stripe, planes[..., 0])), gains)
        linear = cv2.LUT(_fixed_point(to_rgb(planes)), decoding())
        lit = cv2.multiply(linear, cv2.merge([gain, gain, gain]), dtype=cv2.CV_16U)
        enhanced[stripe] = cv2.LUT(lit, encoding())
    return enhanced


def _gains(missing: MissingLight, share: float) -> npt.NDArray[np.float32]:
    """What linear light is multiplied by where the illumination is a code of 0 to 255, in steps of 1/256.

    Two curves, one after the other: x → g·x / (1 + (gᵇ − 1) xᵇ)^(1/b), which multiplies dark x by g, keeps 0 and 1 and is
    nowhere under x. Both grow with g, so the result grows with `share`.
    """
    light = decoding() / np.float32(LINEAR)
    exposure, lift = 2.0 ** (missing.exposure * share), 2.0 ** (missing.lift * share)
    exposed = _curve(light, exposure, _EXPOSING)
    return exposed * _curve(exposed * light, lift, _LIFTING)


def _curve(light: npt.NDArray[np.float32], gain: float, bend: float) -> npt.NDArray[np.float32]:
    return np.asarray(gain / (1 + (gain**bend - 1) * light**bend) ** (1 / bend), np.float32)


def _fixed_point(codes: Plane | Planes) -> npt.NDArray[np.uint16]:
    """Codes in steps of 1/256; what is under 0 becomes 0, what is over 255 stays white."""
    return np.asarray(cv2.addWeighted(codes, FRACTIONS, codes, 0, 0, dtype=cv2.CV_16U), np.uint16)
