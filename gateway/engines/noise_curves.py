"""How strong a picture's noise is, as a function of brightness and scale, from the picture alone.

Light comes in photons and codes are not linear, so noise differs from dark to bright; cameras and JPEG take away the finest of
it and leave the rest, so it differs from scale to scale as no formula says. Both are therefore measured: Immerkær, "Fast Noise
Variance Estimation" (1996), in blocks, of which the flattest tell, per range of brightness and level of a pyramid.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.planes import Planes, as_planes

Curves = npt.NDArray[np.float32]
"""2 × 256: variances of the noise of luma and of chroma (the mean of both planes), in codes of 0 to 255, by luma."""

_BLOCK: Final = 8
_BANDS: Final = 64
_FLAT_SHARE: Final = 10
_LEAST_BLOCKS: Final = 20
_BOUNDS: Final = (0.25, 1, 4, 8, 14, 24, 40, 70, 120, 256)
"""Luma between which blocks are told apart. In black ones noise is cut off."""

_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def sampled_bands(height: int) -> list[slice]:
    """Rows of blocks, at most 64, evenly over a picture of `height` rows."""
    count = height // _BLOCK
    return (
        [slice(row * _BLOCK, (row + 1) * _BLOCK) for row in sorted(set(np.linspace(0, count - 1, _BANDS).astype(int)))]
        if count
        else []
    )


def noise_curves(bands: Iterable[Planes]) -> Curves | None:
    """Measure the noise of a picture in such bands of it. None if they hold too few blocks that aren't black."""
    blocks = [_blocks(band[:, : band.shape[1] - band.shape[1] % _BLOCK]) for band in bands if band.shape[1] >= _BLOCK]
    if not blocks:
        return None
    luma, energies = np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])
    at, found = [], []
    for darkest, brightest in pairwise(_BOUNDS):
        inside = (luma >= darkest) & (luma < brightest)
        if np.count_nonzero(inside) >= _LEAST_BLOCKS:
            at.append(float(luma[inside].mean()))
            found.append(np.percentile(energies[inside], _FLAT_SHARE, axis=0))
    if not at:
        return None
    return np.array([np.interp(np.arange(256), at, variances) for variances in np.transpose(found)], np.float32)


def _blocks(band: Planes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean luma (blocks) and noise energy of luma and chroma (blocks × 2) of a row of blocks."""
    count = band.shape[1] // _BLOCK
    noise = as_planes(cv2.filter2D(band, -1, _KERNEL))
    energies, luma = (as_planes(cv2.resize(of, (count, 1), interpolation=cv2.INTER_AREA))[0] for of in (noise * noise, band))
    return luma[:, 0], np.column_stack([energies[:, 0], energies[:, 1:].mean(axis=1)])
