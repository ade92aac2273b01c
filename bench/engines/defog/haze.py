"""Haze made by rules other than those that the remover assumes, for photographs whose clear state is then known.

The remover assumes the air's light to be one colour, added to encoded values, and fog to follow the outlines of things. Here
fog knows nothing of what the picture shows (a slope, banks, fractal noise, their mixtures), the air's light is tinted and
uneven, is added to linear light in one kind, the camera adds noise and JPEG its blocks.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LIGHTS = ((1.0, 1.0, 1.0), (0.93, 0.97, 1.0), (1.0, 0.97, 0.91), (0.97, 1.0, 0.97))
"""Colours of the air's light: white, bluish (shade, distance), yellowish (dust, low sun), greenish (a wood)."""

LINEAR_GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class Kind:
    """One way of making haze. `density` draws a field of optical depth (H×W, around 0 … 1.6) for a size."""

    density: Callable[[int, int, np.random.Generator], Floats]
    tinted: bool = False
    uneven: bool = False
    linear: bool = False
    noise: float = 0.0
    """Standard deviation in 1/255."""
    jpeg: int = 0
    """Quality; 0: none."""


def hazy(clear: NDArray[np.uint8], kind: str, name: str) -> NDArray[np.uint8]:
    """`clear` (RGB) in haze of that kind (of `KINDS`). The same for the same `name` every time."""
    how = KINDS[kind]
    rng = np.random.default_rng(zlib.crc32(f"{name} {kind}".encode()))
    height, width = clear.shape[:2]
    transmission = np.exp(-how.density(height, width, rng))[..., None]
    light = np.float32(rng.uniform(0.72, 0.96)) * np.array(LIGHTS[rng.integers(len(LIGHTS)) if how.tinted else 0], np.float32)
    if how.uneven:  # brighter towards one side, as under a low sun
        light = light * (1 + 0.12 * (_slope(height, width, rng.uniform(0, 2 * np.pi)) - 0.5))[..., None]
    scene = clear.astype(np.float32) / 255
    if how.linear:
        mixed = scene**LINEAR_GAMMA * transmission + np.minimum(light, 1) ** LINEAR_GAMMA * (1 - transmission)
        mixed **= 1 / LINEAR_GAMMA
    else:
        mixed = scene * transmission + np.minimum(light, 1) * (1 - transmission)
    mixed += rng.normal(0, how.noise / 255, mixed.shape).astype(np.float32)
    result = np.clip(np.rint(mixed * 255), 0, 255).astype(np.uint8)
    if how.jpeg:
        _, encoded = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, how.jpeg])
        result = cv2.imdecode(encoded, cv2.IMREAD_COLOR).astype(np.uint8)
    return result


def _even(height: int, width: int, rng: np.random.Generator) -> Floats:
    return np.full((height, width), rng.uniform(0.35, 1.1), np.float32)


def _ramp(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Denser towards the top, as over a plain, tilted by up to 20°."""
    distance = 1 - _slope(height, width, np.pi / 2 + rng.uniform(-0.35, 0.35))
    return (0.15 + rng.uniform(0.7, 1.4) * distance ** rng.uniform(1, 2)).astype(np.float32)


def _banks(height: int, width: int, rng: np.random.Generator) -> Floats:
    """A thin veil, and a few soft banks of fog anywhere."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    field = np.full((height, width), 0.2, np.float32)
    for _ in range(4):
        middle_x, middle_y = rng.uniform(0, width / max(height, width)), rng.uniform(0, height / max(height, width))
        wide, high = rng.uniform(0.2, 0.5), rng.uniform(0.1, 0.25)
        field += rng.uniform(0.4, 1.0) * np.exp(-(((x - middle_x) / wide) ** 2 + ((y - middle_y) / high) ** 2)).astype(np.float32)
    return np.minimum(field, 1.6)


def _noise(height: int, width: int, rng: np.random.Generator) -> Floats:
    return 0.15 + 1.15 * _fractal(height, width, rng)


def _mixture(height: int, width: int, rng: np.random.Generator) -> Floats:
    return np.minimum(_ramp(height, width, rng) * (0.5 + _fractal(height, width, rng)), 1.6)


def _slope(height: int, width: int, angle: float) -> Floats:
    """0 … 1 along a direction: `angle` 0 rises to the right, π/2 downwards."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    field = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    return (field - field.min()) / (field.max() - field.min())


def _fractal(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Smooth noise of four octaves, 0 … 1."""
    field = np.zeros((height, width), np.float32)
    for octave in range(4):
        cells = rng.normal(size=(3 * 2**octave, 4 * 2**octave)).astype(np.float32)
        field += cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return (field - field.min()) / (field.max() - field.min())


KINDS = {
    "even": Kind(_even, noise=1),
    "ramp": Kind(_ramp, noise=1),
    "banks": Kind(_banks, noise=1),
    "fractal": Kind(_noise, noise=1),
    "mixture": Kind(_mixture, tinted=True, uneven=True, noise=2),
    "linear light": Kind(_mixture, tinted=True, uneven=True, linear=True, noise=2, jpeg=90),
}
