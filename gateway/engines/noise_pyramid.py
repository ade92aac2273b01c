"""Noise taken out of a picture level by level: what is no stronger than noise at its scale is shrunk towards nothing.

A Laplacian pyramid of Y, Cr and Cb, halved by 2×2 means and doubled bilinearly. Each coefficient of its detail levels gets the
weight that a Wiener filter gives it, the share of the energy around it that isn't noise:

    weight = max(energy − overestimate · noise, 0) / energy

Flat places become smooth over up to 2^LEVELS pixels, edges stay what they are, and without noise all weights are one. After Lee,
"Digital Image Enhancement and Noise Filtering by Use of Local Statistics" (1980), and, for doing so in a pyramid, Simoncelli and
Adelson, "Noise Removal via Bayesian Wavelet Coring" (1996).
"""

from typing import Final

import cv2
import numpy as np

from gateway.engines.noise_curves import Curves, noise_curves, sampled_bands
from gateway.engines.planes import Pixels, Plane, Planes, as_planes, doubled, halved, to_planes
from gateway.engines.steps import Checkpoint, never_cancelled

LEVELS: Final = 4

_DETAIL_SHARE: Final = 0.82
"""Of the variance of white noise, what a level's detail has."""

_FALL: Final = 0.25
"""Of the variance of white noise, what is left of it in the next coarser level."""

_SLOWEST_FALL: Final = 0.5
"""The most that is believed to be left from the second level to the third: few places are flat enough there to tell noise from
what is seen."""

_MISSED_BY_FINEST: Final = 2.0
"""JPEG takes the highest frequencies, from which the finest level's noise is estimated, and leaves the rest of that level's
noise: it is at least as many times the second level's."""

_OVERESTIMATE: Final = np.array([[1.5], [4.0]], np.float32)
"""Of luma and of chroma: the flattest blocks have less than their share, and colour noise that is left is seen as blotches."""

_REACH: Final = 8
"""Rows around a stripe that its result depends on: both means of 3×3 and the doubling, each at half size."""

_TINY: Final = np.float32(1e-6)


class NoisePyramid:
    """A picture without its noise."""

    def __init__(self, pixels: Pixels, half: Planes, *, strength: float, checkpoint: Checkpoint = never_cancelled) -> None:
        """Build the levels.

        `half`: the picture's `half_size`. `strength`: 0, which leaves the picture as it is, to 1.
        """
        self._pixels = pixels
        self._half = half
        self._strength = strength
        self._noise = _noise_by_level(pixels, half)
        checkpoint()
        self._clean_half = self._cleaned(half, 1, checkpoint)

    def rows(self, stripe: slice) -> Planes:
        """Return the cleaned rows of a stripe, which starts at an even row."""
        top, bottom = max(stripe.start - _REACH, 0), min(stripe.stop + _REACH, self._pixels.shape[0])
        half = slice(top // 2, (bottom + 1) // 2)
        cleaned = self._merged(to_planes(self._pixels[top:bottom]), self._half[half], self._clean_half[half], 0)
        return cleaned[stripe.start - top : stripe.stop - top]

    def _cleaned(self, planes: Planes, level: int, checkpoint: Checkpoint) -> Planes:
        if level == LEVELS:
            return planes
        coarse = halved(planes)
        cleaned = self._cleaned(coarse, level + 1, checkpoint)
        checkpoint()
        return self._merged(planes, coarse, cleaned, level)

    def _merged(self, planes: Planes, coarse: Planes, cleaned: Planes, level: int) -> Planes:
        """The cleaned coarser level, enlarged, and of the detail that it lacks what isn't noise."""
        detail = as_planes(cv2.subtract(planes, doubled(coarse, planes)))
        weights = self._weights(halved(as_planes(cv2.multiply(detail, detail))), coarse[..., 0], level)
        cv2.multiply(detail, doubled(weights, planes), dst=detail)
        return as_planes(cv2.add(detail, doubled(cleaned, planes), dst=detail))

    def _weights(self, squares: Planes, luma: Plane, level: int) -> Planes:
        energy = as_planes(cv2.blur(squares, (3, 3)))
        code = np.clip(luma, 0, 255).astype(np.uint8)
        luma_noise, chroma_noise = (as_planes(cv2.LUT(code, curve)) for curve in self._noise[level])
        kept = np.empty_like(energy)
        kept[..., 0] = _share(energy[..., 0], luma_noise)
        # Both chroma planes are weighted alike, so that a colour only pales and its hue stays.
        kept[..., 1] = kept[..., 2] = _share(energy[..., 1] + energy[..., 2], 2 * chroma_noise)
        return 1 - np.float32(self._strength) * (1 - as_planes(cv2.blur(kept, (3, 3))))


def _share(energy: Plane, noise: Plane) -> Plane:
    return as_planes(np.maximum(energy - noise, 0) / np.maximum(energy, _TINY))


def _noise_by_level(pixels: Pixels, half: Planes) -> list[Curves]:
    """Of each level's detail, the finest first; more than there is, as the weights want it."""
    quarter = halved(half)
    finest = noise_curves(to_planes(pixels[rows]) for rows in sampled_bands(pixels.shape[0]))
    second = noise_curves(half[rows] for rows in sampled_bands(half.shape[0]))
    third = noise_curves(quarter[rows] for rows in sampled_bands(quarter.shape[0]))
    finest = np.zeros((2, 256), np.float32) if finest is None else finest
    second = finest * _FALL if second is None else np.maximum(second, finest * _FALL)
    finest = np.maximum(finest, second * _MISSED_BY_FINEST)
    third = second * _FALL if third is None else np.clip(third, second * _FALL, second * _SLOWEST_FALL)
    return [level * _OVERESTIMATE * np.float32(_DETAIL_SHARE) for level in (finest, second, third, third * np.float32(_FALL))]
