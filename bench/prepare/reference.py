"""What a picture scaled exactly looks like, and how far from it another one is."""

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image

_LOBES = 3


def decoded(data: bytes) -> np.ndarray:
    """One decoder for all: height × width × 3."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def scaled(path: Path, side: int) -> np.ndarray:
    """The picture at `path` with its wide side at `side` px: separable Lanczos with three lobes, widened by the scale so
    that it does not alias, in float64, clipped at the end only. At its own size if `side` is 0.
    """
    pixels = decoded(path.read_bytes())
    if not side:
        return pixels.astype(np.float64)
    height, width = pixels.shape[:2]
    wide = max(width, height)
    to = (2 * height * side + wide) // (2 * wide), (2 * width * side + wide) // (2 * wide)
    out = np.empty((*to, 3))
    for channel in range(3):
        across = _along_rows(pixels[:, :, channel].T.astype(np.float64), to[1]).T
        out[:, :, channel] = _along_rows(np.ascontiguousarray(across), to[0])
    return np.clip(out, 0, 255)


def psnr(reference: np.ndarray, data: bytes) -> float:
    """Peak signal-to-noise ratio of a file against a reference, in dB over R, G and B."""
    pixels = decoded(data)
    assert pixels.shape == reference.shape, f"{pixels.shape} in place of {reference.shape}"
    error = np.mean((pixels - reference) ** 2)
    return math.inf if error == 0 else float(10 * np.log10(255**2 / error))


def _along_rows(samples: np.ndarray, length: int) -> np.ndarray:
    """Rows × columns to `length` × columns."""
    scale = len(samples) / length
    support = _LOBES * max(scale, 1.0)
    out = np.empty((length, samples.shape[1]))
    for index in range(length):
        centre = (index + 0.5) * scale
        first, end = max(0, math.floor(centre - support)), min(len(samples), math.ceil(centre + support))
        distance = (np.arange(first, end) + 0.5 - centre) / max(scale, 1.0)
        weights = np.where(np.abs(distance) < _LOBES, np.sinc(distance) * np.sinc(distance / _LOBES), 0.0)
        out[index] = weights / weights.sum() @ samples[first:end]
    return out
