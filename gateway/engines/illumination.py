"""How the light falls on a picture, and how much of it is missing.

The map follows LIME (Guo, Li and Ling, "LIME: Low-Light Image Enhancement via Illumination Map Estimation", 2017): the largest of
red, green and blue, smoothed but for its edges, here by a guided filter (He, Sun and Tang, "Guided Image Filtering", 2013) at
reduced size. What is missing is estimated from the map alone and in linear light: first the exposure, which a camera would
have corrected, then a lift of the shadows, as adaptive gamma (Rahman et al., "An adaptive gamma correction for image
enhancement", 2016) gives it to pictures whose middle is dark although they hold bright light.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from gateway.engines.planes import Plane, Planes, as_planes, doubled, halved, to_rgb
from gateway.engines.transfer import ENCODED, to_linear

_LARGEST_SIDE: Final = 512
_RADIUS_SHARE: Final = 1 / 40
_EDGE: Final = 0.06
"""Contrast, as a share of the picture's white, above which the map keeps an edge."""

_WHITE, _MIDDLE = 0.9, 0.26
"""Linear light that a well-exposed photograph's map reaches in its brightest hundredth and has as its median. Over the
photographs that it was tuned on, the first is 0.2 stops more or less (standard deviation), the second 0.7."""

_WHITE_PERCENTILE: Final = 99

_TINY: Final = 1e-3
"""Variance (codes squared) that is no contrast: keeps black pictures from dividing by zero."""

_DOUBTED, _BELIEVED = 0.6, 1.6
"""Stops that white and middle lack together: up to the first, nothing is done; from the second on, all that white lacks."""

_DIM: Final = -3.0
_CLEARLY_DIM: Final = 1.5
"""In stops: the median, once exposed, under which shadows are lifted, and how much less it must be to be lifted all the way."""

_MOST_EXPOSURE, _MOST_LIFT, _MOST_STOPS = 5.0, 3.0, 6.0
"""More exposure shows noise alone; more lift makes everything bright white; both together are bounded likewise."""


@dataclass(frozen=True, slots=True)
class MissingLight:
    """What a picture lacks, in stops (doublings of linear light, 0 or more)."""

    exposure: float
    lift: float

    @property
    def stops(self) -> float:
        """Both together: what the darkest places gain."""
        return self.exposure + self.lift


class Illumination:
    """The light on a picture: what is missing of it, and its map."""

    def __init__(self, half: Planes) -> None:
        """Estimate it from a picture at half its size, as Y, Cr and Cb."""
        sizes = [half]
        while max(sizes[-1].shape[:2]) > _LARGEST_SIDE:
            sizes.append(halved(sizes[-1]))
        luma = np.ascontiguousarray(sizes[-1][..., 0])
        brightest = _brightest(sizes[-1])
        white = float(np.percentile(brightest, _WHITE_PERCENTILE))
        self.missing = _missing(to_linear(white), to_linear(float(np.median(brightest))))
        coefficients = _guided(brightest, luma, _EDGE * white)
        for size in reversed(sizes[:-1]):
            coefficients = doubled(coefficients, size)
        self._coefficients = coefficients

    def rows(self, stripe: slice, luma: Plane) -> Plane:
        """The map at the picture's full size in `stripe` (an even start), where the luma is `luma`: codes of 0 to 255."""
        half = slice(max(stripe.start // 2 - 1, 0), (stripe.stop + 1) // 2 + 1)
        skipped = stripe.start - half.start * 2
        large = as_planes(cv2.resize(self._coefficients[half], None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR))
        slope, offset = cv2.split(large[skipped : skipped + luma.shape[0], : luma.shape[1]])
        return as_planes(slope * luma + offset)


def _brightest(planes: Planes) -> Plane:
    red, green, blue = cv2.split(to_rgb(planes))
    return np.clip(as_planes(cv2.max(cv2.max(red, green), blue)), 0, ENCODED)


def _missing(white: float, middle: float) -> MissingLight:
    """`white`, `middle`: linear light of the brightest hundredth and the median of the map."""
    bright, median = (float(np.log2(max(light, 2.0**-16))) for light in (white, middle))
    short = float(np.log2(_WHITE)) - bright
    belief = (short + float(np.log2(_MIDDLE)) - median - _DOUBTED) / (_BELIEVED - _DOUBTED)
    exposure = min(max(short, 0.0), _MOST_EXPOSURE) * min(max(belief, 0.0), 1.0)
    dim = max(_DIM - median - exposure, 0.0)
    lift = dim * min(dim / _CLEARLY_DIM, 1.0)
    return MissingLight(exposure, min(lift, _MOST_LIFT, _MOST_STOPS - exposure))


def _guided(source: Plane, guide: Plane, edge: float) -> Planes:
    """Slope and offset (height × width × 2) of the guided filter, which make `source` smooth where `guide` is."""
    radius = max(round(max(guide.shape) * _RADIUS_SHARE), 1)

    def mean(of: Plane) -> Plane:
        return as_planes(cv2.blur(of, (2 * radius + 1, 2 * radius + 1)))

    mean_guide, mean_source = mean(guide), mean(source)
    variance = mean(guide * guide) - mean_guide * mean_guide
    covariance = mean(guide * source) - mean_guide * mean_source
    slope = as_planes(covariance / (np.maximum(variance, 0) + (edge**2 + _TINY)))
    return np.dstack([mean(slope), mean(mean_source - slope * mean_guide)])
