"""What a fog remover does wrong on real fog, in figures: rims along outlines, and what becomes of smooth skies.

No clear picture is needed: a remover may stretch what it was given, but what wasn't there may not appear.
"""

from collections.abc import Callable
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIDE = 400
"""Rims are looked for at this long side; distances are its pixels."""

SOFTENED = 2.0
"""Standard deviation of the blur before: noise has no outlines."""
OUTLINE = 5.0
"""Levels (1/255) a pixel from which luma has an outline there."""
NEAR, FAR = 5, 40
"""The surroundings of an outline begin and end here."""
SMOOTH = 1.5
"""Levels a pixel below which the given picture is smooth, so that a rim would be seen."""
MOST_STRETCH, SLACK = 4.0, 0.1
SMOOTHEST_SHARE = 10
"""Hundredths of the picture that are its skies."""
FINE, COARSE = 9, 17
"""Sides of the squares that noise and patches of colour are taken in, at full size."""
BLOCK, JPEG_QUALITY = 8, 60
FLAT = 0.29
"""The deviation of rounding: a region's counts as no smaller."""


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Of one picture, or the largest of several."""

    rim: float
    """Levels a pixel, the hundredth worst of the smooth surroundings of outlines: brightness that rises where it fell, or that
    rises more than `MOST_STRETCH` times as steeply."""
    noise: float
    """Growth of the local standard deviation of luma, in the smoothest tenth of the picture."""
    colour: float
    """The same of chroma, over larger squares: patches of colour."""
    blocks: float
    """Growth of the steps at the borders of JPEG's blocks, in the smoothest tenth, if the picture comes as a JPEG of 60."""


def artefacts_of(photo: Pixels, remove: Callable[[Pixels], Pixels]) -> Artefacts:
    made, compressed = remove(photo), as_jpeg(photo)
    return Artefacts(rim(photo, made), noise(photo, made), colour(photo, made), blocks(compressed, remove(compressed)))


def largest(of: list[Artefacts]) -> Artefacts:
    return Artefacts(*(max(column) for column in zip(*map(astuple, of), strict=True)))


def rim(given: Pixels, made: Pixels) -> float:
    """See `Artefacts`; 0 where there are no smooth surroundings of outlines."""
    (down, right), (made_down, made_right) = _gradient(given), _gradient(made)
    steep, made_steep = np.hypot(down, right), np.hypot(made_down, made_right)
    where = (_around(steep > OUTLINE, FAR) > 0) & (_around(steep > OUTLINE, NEAR) == 0) & (steep < SMOOTH)
    if not where.any():
        return 0.0
    along = (down * made_down + right * made_right) / np.maximum(steep, 1e-6)
    reversed_ = np.maximum(-along, 0)
    new = np.maximum(made_steep - MOST_STRETCH * steep, 0)
    return float(np.percentile(np.maximum(np.maximum(reversed_, new) - SLACK, 0)[where], 99))


def noise(given: Pixels, made: Pixels) -> float:
    """See `Artefacts`."""
    smooth, rough = (_deviation(_luma(picture), FINE) for picture in (given, made))
    where = _smoothest(given)
    return float(rough[where].mean() / max(float(smooth[where].mean()), FLAT))


def colour(given: Pixels, made: Pixels) -> float:
    """See `Artefacts`."""
    before, after = (
        np.sqrt(sum(_deviation(plane, COARSE) ** 2 for plane in cv2.split(_opponent(picture)))) for picture in (given, made)
    )
    where = _smoothest(given)
    return float(after[where].mean() / max(float(before[where].mean()), FLAT))


def blocks(given: Pixels, made: Pixels) -> float:
    """See `Artefacts`. `given` is a decoded JPEG."""
    where = _smoothest(given)
    return _blocking(_luma(made), where) / max(_blocking(_luma(given), where), 0.1)


def as_jpeg(picture: Pixels) -> Pixels:
    _, encoded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)


def _gradient(picture: Pixels) -> tuple[Floats, Floats]:
    luma = _luma(picture)
    scale = SIDE / max(luma.shape)
    small = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    down, right = np.gradient(cv2.GaussianBlur(small, (0, 0), SOFTENED))
    return down, right


def _around(where: Mask, distance: int) -> NDArray[np.uint8]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
    return np.asarray(cv2.dilate(where.astype(np.uint8), disc), np.uint8)


def _luma(picture: Pixels) -> Floats:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _opponent(picture: Pixels) -> Floats:
    """Cb and Cr."""
    return np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32))


def _deviation(of: Floats, side: int) -> Floats:
    centred = of - of.mean()
    mean = cv2.blur(centred, (side, side))
    return np.sqrt(np.maximum(cv2.blur(centred * centred, (side, side)) - mean * mean, 0))


def _smoothest(picture: Pixels) -> Mask:
    deviation = _deviation(_luma(picture), FINE)
    return np.asarray(deviation <= np.percentile(deviation, SMOOTHEST_SHARE))


def _blocking(luma: Floats, where: Mask) -> float:
    """By how much steps between columns are larger at the borders of blocks, root mean square."""
    steps, here = np.diff(luma, axis=1) ** 2, where[:, 1:]
    border = np.zeros_like(here)
    border[:, BLOCK - 1 :: BLOCK] = True
    at, within = steps[here & border], steps[here & ~border]
    return float(np.sqrt(max(at.mean() - within.mean(), 0))) if at.size and within.size else 0.0
