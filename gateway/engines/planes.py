"""Pictures as planes of luma and colour differences, and their change of size by two."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.steps import Checkpoint, never_cancelled

Pixels = npt.NDArray[np.uint8]
"""Height × width × 3: RGB, sRGB codes of 0 to 255."""

Plane = npt.NDArray[np.float32]
"""Height × width."""

Planes = npt.NDArray[np.float32]
"""Height × width × 3: Y of 0 to 255, Cr and Cb. Their zero is OpenCV's for float pictures and matters to it alone."""

STRIPE: Final = 96
"""Rows that are worked on at once: few enough to stay in a processor's cache, enough that margins cost little."""


def stripes(height: int) -> list[slice]:
    """Return all rows of a picture in order. Each stripe starts at an even row."""
    return [slice(top, min(top + STRIPE, height)) for top in range(0, height, STRIPE)]


def to_planes(pixels: Pixels) -> Planes:
    """Return the Y, Cr and Cb (BT.601, not rounded) of RGB."""
    return as_planes(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2YCrCb))


def to_rgb(planes: Planes) -> Planes:
    """Return red, green and blue, neither rounded nor confined to 0 to 255."""
    return as_planes(cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB))


def half_size(pixels: Pixels, checkpoint: Checkpoint = never_cancelled) -> Planes:
    """Return the planes of an RGB picture at half its size; an odd side's half is rounded up."""
    height, width = pixels.shape[:2]
    half = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.float32)
    for rows in stripes(height):
        checkpoint()
        half[rows.start // 2 : (rows.stop + 1) // 2] = halved(to_planes(pixels[rows]))
    return half


def halved(planes: Planes) -> Planes:
    """Return the 2×2 means; of an odd side the last row or column is taken twice."""
    odd_height, odd_width = (side % 2 for side in planes.shape[:2])
    if odd_height or odd_width:
        planes = as_planes(cv2.copyMakeBorder(planes, 0, odd_height, 0, odd_width, cv2.BORDER_REPLICATE))
    return as_planes(cv2.resize(planes, (planes.shape[1] // 2, planes.shape[0] // 2), interpolation=cv2.INTER_AREA))


def doubled(coarse: Planes, like: Planes) -> Planes:
    """Return twice the size, bilinearly, cut to the size of `like`."""
    large = cv2.resize(coarse, (coarse.shape[1] * 2, coarse.shape[0] * 2), interpolation=cv2.INTER_LINEAR)
    return as_planes(large[: like.shape[0], : like.shape[1]])


def as_planes(result: npt.NDArray[Any]) -> Planes:
    """Return what OpenCV computed from float32, whose type its stubs don't tell; nothing is copied."""
    return np.asarray(result, dtype=np.float32)
