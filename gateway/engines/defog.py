"""Takes fog out of photographs: even and uneven haze, whatever it lies on.

The picture I that is seen through fog is J · t + A · (1 - t): the scene J, of whose light the share t comes through, and the
fog's own light A. A and t are found in a reduced picture (`airlight`, `transmission`), where t becomes smooth but for edges
(`global_smoother`); `recovery` computes J at full size.
"""

import functools
import io
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.airlight import airlight
from gateway.engines.global_smoother import GlobalSmoother
from gateway.engines.recovery import Fog, recovered
from gateway.engines.shipped import shipped
from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.transmission import OUTLINE, SMOOTHING, emptiness, haze, trust

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LOWEST_GAMMA: Final = 0.1
HIGHEST_GAMMA: Final = 10.0
NEUTRAL_GAMMA: Final = 1.5
"""The default: the picture keeps the brightness that the scene is found to have."""

REDUCED_SIDE: Final = 400
"""The long side of the picture that fog is measured in; the sizes of all kernels are pixels of it."""

_UNTOUCHED: Final = 0.02
"""A picture in which less light than this is fog's, wherever it is thickest, has none."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How far fog is taken out."""

    least_transmission: float
    """Fog that lets less through is treated as if it let this through: noise is amplified by its inverse."""
    least_in_skies: float
    """The same where there is nothing to see but the fog, or a sky."""
    detail_in_skies: float
    """The share of the amplification there that what is fine and coloured takes part in: noise and JPEG's blocks."""
    distrust: float
    """Exponent of 1 - ω; over 1 takes more for fog."""


_NATURAL = _Look(least_transmission=0.2, least_in_skies=0.4, detail_in_skies=0.4, distrust=1.0)
_STRONG = _Look(least_transmission=0.1, least_in_skies=0.28, detail_in_skies=0.25, distrust=1.8)


def defog(
    pixels: Pixels, *, gamma: float = NEUTRAL_GAMMA, natural_look: bool = True, checkpoint: Checkpoint = never_cancelled
) -> Pixels:
    """Return the picture without its fog. `pixels`: H × W × 3, RGB, 0–255, of any size; they aren't changed.

    `gamma` (0.1–10) corrects the brightness afterwards: values (0–1) are raised to 1.5 / gamma, so that larger is brighter and
    1.5 changes nothing. `natural_look` spares skies and white things and leaves the thickest fog in; without it fog is taken
    out wherever there may be some. A picture in which none is found comes back as it was, but for gamma.

    Raises `ValueError` for another array or another gamma, and what `checkpoint` raises. Thread-safe; computes on one thread.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        msg = f"pixels are a uint8 array of H × W × 3, not {pixels.dtype} of {pixels.shape}"
        raise ValueError(msg)
    if not LOWEST_GAMMA <= gamma <= HIGHEST_GAMMA:
        msg = f"gamma is {LOWEST_GAMMA}–{HIGHEST_GAMMA}, not {gamma}"
        raise ValueError(msg)
    reduced = _reduced(pixels)
    scene = reduced.astype(np.float32) / np.float32(255)
    model = _model()
    air = airlight(scene, model.airlight)
    checkpoint()
    fog = _fog(scene, air, _NATURAL if natural_look else _STRONG, model)
    checkpoint()
    exponent = NEUTRAL_GAMMA / gamma
    if float(fog.transmission.min()) > 1 - _UNTOUCHED:
        return _corrected(pixels, exponent)
    return recovered(pixels, reduced, fog, exponent, checkpoint)


def _reduced(pixels: Pixels) -> Pixels:
    """The picture at the size that fog is measured in; a smaller one is enlarged, so that kernels fit all alike."""
    height, width = pixels.shape[:2]
    scale = REDUCED_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=how))


def _fog(scene: Floats, air: Floats, look: _Look, model: "_Model") -> Fog:
    """The fog before the reduced picture `scene`."""
    empty = emptiness(scene)
    omega = 1 - (1 - trust(scene, air, model.layers, empty)) ** look.distrust
    least = look.least_transmission + (look.least_in_skies - look.least_transmission) * empty
    rough = np.clip(1 - omega * haze(scene, air), least, 1).astype(np.float32)
    through, empty = GlobalSmoother(scene, SMOOTHING, OUTLINE).smooth(rough, empty)
    detail = 1 - (1 - look.detail_in_skies) * np.clip(empty, 0, 1)
    return Fog(air, np.clip(through, look.least_transmission, 1), np.asarray(detail, np.float32))


def _corrected(pixels: Pixels, exponent: float) -> Pixels:
    """Gamma correction alone."""
    table = np.rint((np.arange(256) / 255) ** exponent * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(pixels, table))


@dataclass(frozen=True, slots=True)
class _Model:
    """What was fitted. See `airlight` and `transmission` for what the arrays mean."""

    airlight: Floats
    layers: tuple[Floats, ...]


@functools.cache
def _model() -> _Model:
    with np.load(io.BytesIO(shipped("defog.npz"))) as arrays:
        return _Model(arrays["airlight"], tuple(arrays[f"layer{index}"] for index in range(6)))
