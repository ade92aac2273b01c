"""How close a picture comes to the true one: PSNR and SSIM."""

import cv2
import numpy as np
from numpy.typing import NDArray

PEAK = 255.0
WINDOW, SIGMA = 11, 1.5  # the window of Wang et al.
C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
RED, GREEN, BLUE = 0.299, 0.587, 0.114


def psnr(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB over all samples of two uint8 arrays of one shape; infinite for equal ones.

    10 log10(255² / mean squared error). Raises `ValueError` for arrays that differ in shape or are not uint8.
    """
    _check(picture, truth)
    error = float(np.mean(np.square(np.subtract(picture, truth, dtype=np.float32)), dtype=np.float64))
    return float("inf") if error == 0 else float(10 * np.log10(PEAK**2 / error))


def ssim(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean structural similarity of the luma (BT.601) of two uint8 RGB (H×W×3) or grey (H×W) arrays of one shape, up to 1.

    Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004):
    Gaussian window of 11×11 and σ 1.5, K1 0.01, K2 0.03, dynamic range 255, population statistics, averaged where the whole
    window lies inside the picture. Luma isn't rounded. Raises `ValueError` for arrays that differ in shape, are not uint8,
    or have a side under 11.
    """
    _check(picture, truth)
    return _ssim(luma(picture), luma(truth))


def ssim_colour(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean of `ssim` of red, green and blue, each taken alone; for RGB arrays (H×W×3). Raises as `ssim` does."""
    _check(picture, truth)
    if picture.ndim != 3:
        msg = f"colour SSIM is of H×W×3 arrays, not of shape {picture.shape}"
        raise ValueError(msg)
    return float(np.mean([_ssim(picture[..., i].astype(np.float32), truth[..., i].astype(np.float32)) for i in range(3)]))


def luma(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """BT.601 luma (H×W, float32, 0 … 255) of a uint8 RGB picture, not rounded; a grey picture's own samples."""
    if picture.ndim == 2:
        return picture.astype(np.float32)
    return picture.astype(np.float32) @ np.array([RED, GREEN, BLUE], np.float32)


def _check(picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
    if picture.shape != truth.shape or picture.dtype != np.uint8 or truth.dtype != np.uint8:
        msg = f"compared are uint8 arrays of one shape, not {picture.dtype} {picture.shape} and {truth.dtype} {truth.shape}"
        raise ValueError(msg)


def _ssim(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    if min(x.shape) < WINDOW:
        msg = f"SSIM needs sides of at least {WINDOW} px, not {x.shape[1]}×{x.shape[0]}"
        raise ValueError(msg)
    # Doubles: E[x²] − E[x]² of a flat region cancels in single precision.
    x, y = x.astype(np.float64), y.astype(np.float64)
    mean_x, mean_y = _mean(x), _mean(y)
    variance_x, variance_y = _mean(x * x) - mean_x**2, _mean(y * y) - mean_y**2
    covariance = _mean(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    likeness /= (mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)
    inside = WINDOW // 2
    return float(likeness[inside : likeness.shape[0] - inside, inside : likeness.shape[1] - inside].mean())


def _mean(of: NDArray[np.float64]) -> NDArray[np.float64]:
    return cv2.GaussianBlur(of, (WINDOW, WINDOW), SIGMA)
