"""How colours and brightness lie in a picture, in a few figures."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.views import Pixels

BANDS: Final = 4
"""Strips from top to bottom, of equal height: what is sky is above, what is sea or sand is below."""

FIGURES: Final = 6 * BANDS + 8

_SIDE: Final = 96


def layout(picture: Pixels) -> npt.NDArray[np.float64]:
    """`FIGURES` statistics of a picture (H × W × 3, RGB), computed at 96 × 96 in CIE L*a*b* scaled to 0 to 1 (a and b: ±0.5).

    For each strip: mean and deviation of lightness, means of a and b, deviation of colour, mean contrast of neighbours. For
    all: parts that are nearly black, nearly white, flat, blue, green, and warm; mean and deviation of saturation.
    """
    reduces = min(picture.shape[:2]) >= _SIDE
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float64) / 255.0
    light, red, yellow = lab[..., 0], lab[..., 1] - 0.5, lab[..., 2] - 0.5
    contrast = np.abs(np.diff(light, axis=1, append=light[:, -1:])) + np.abs(np.diff(light, axis=0, append=light[-1:]))
    saturation = np.hypot(red, yellow)
    strips = [
        (part.mean(), part.std(), a.mean(), b.mean(), a.std() + b.std(), edges.mean())
        for part, a, b, edges in zip(*(np.split(plane, BANDS) for plane in (light, red, yellow, contrast)), strict=True)
    ]
    whole = (
        (light < 0.15).mean(),
        (light > 0.9).mean(),
        (contrast < 0.01).mean(),
        ((yellow < -0.03) & (light > 0.3)).mean(),
        ((red < -0.03) & (yellow > 0.03)).mean(),
        ((red > 0.03) & (yellow > 0.05)).mean(),
        saturation.mean(),
        saturation.std(),
    )
    return np.array([*np.ravel(strips), *whole])
