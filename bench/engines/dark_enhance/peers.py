"""What else brightens a dark picture: classics, to compare with."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray


def equalised(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Histogram equalisation of luma."""
    return _of_luma(pixels, cv2.equalizeHist)


def clahe(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contrast-limited adaptive histogram equalisation of luma, 8×8 tiles, limit 4."""
    return _of_luma(pixels, cv2.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8)).apply)


def gamma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A power of the codes that brings their mean to 118 (18 % grey)."""
    mean = float(np.clip(pixels.mean() / 255, 1e-3, 0.999))
    power = np.log(118 / 255) / np.log(mean)
    return cv2.LUT(pixels, np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8))


def stretched(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes multiplied so that the brightest hundredth is white."""
    white = max(float(np.percentile(pixels, 99)), 1.0)
    return cv2.convertScaleAbs(pixels, alpha=255 / white)


def _of_luma(pixels: NDArray[np.uint8], function: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    planes = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
    planes[..., 0] = function(np.ascontiguousarray(planes[..., 0]))
    return cv2.cvtColor(planes, cv2.COLOR_YCrCb2RGB)


PEERS = {
    "histogram equalisation": equalised,
    "CLAHE": clahe,
    "gamma to a mean of 118": gamma,
    "codes stretched to white": stretched,
}
