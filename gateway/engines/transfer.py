"""sRGB's transfer function (IEC 61966-2-1) as tables of 16 bits."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

ENCODED: Final = 255.0
"""White as a code."""

FRACTIONS: Final = 256.0
"""Steps of a 16-bit code to one of 8 bits."""

LINEAR: Final = 65535.0
"""White as linear light of 16 bits."""


def to_linear(code: float) -> float:
    """Linear light, 0 to 1, of a code of 0 to 255."""
    value = code / ENCODED
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


@cache
def decoding() -> npt.NDArray[np.float32]:
    """Linear light, 0 to `LINEAR`, of every code times `FRACTIONS`."""
    value = np.minimum(np.arange(65536) / (FRACTIONS * ENCODED), 1.0)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return (linear * LINEAR).astype(np.float32)


@cache
def encoding() -> npt.NDArray[np.uint8]:
    """Codes of 8 bits, rounded, of all linear light of 16 bits."""
    linear = np.arange(65536) / LINEAR
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(value * ENCODED).astype(np.uint8)
