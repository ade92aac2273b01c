"""Edge-keeping smoothing of single-channel maps: the box mean and the guided filter, and the latter's use at full size.

K. He, J. Sun, X. Tang, "Guided Image Filtering", TPAMI 2013; K. He, J. Sun, "Fast Guided Filter", arXiv:1505.00996, 2015.
Borders repeat their outermost pixels, so that a kernel may be larger than the map.
"""

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
"""H × W."""


def box_mean(of: Map, side: int) -> Map:
    """Return the mean over a square of `side` pixels around each pixel."""
    return np.asarray(cv2.blur(of, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)


def lowest_channel(of: npt.NDArray[np.float32]) -> Map:
    """Return the lowest of the channels of each pixel of an H × W × 3 picture; ten times as fast as `min(axis=2)`."""
    return np.minimum(np.minimum(of[..., 0], of[..., 1]), of[..., 2])


def highest_channel(of: npt.NDArray[np.float32]) -> Map:
    """Return the highest of the channels of each pixel likewise."""
    return np.maximum(np.maximum(of[..., 0], of[..., 1]), of[..., 2])


def guided_coefficients(guide: Map, source: Map, radius: int, epsilon: float) -> tuple[Map, Map]:
    """Return slope and offset of the guided filter, whose result is slope · guide + offset (equation 8 of the paper).

    The result is `source` smoothed but for the edges that `guide`, a map of the same size, has. `radius` in pixels; `epsilon` is
    the variance of the guide (in its own units, squared) above which something is an edge.

    Both are smooth, so that of a reduced picture they can be enlarged and applied to the full-size guide, whose edges the
    result then has: the fast guided filter. Raises `ValueError` if the maps differ in size.
    """
    if guide.shape != source.shape:
        msg = f"the guide is {guide.shape} and the map {source.shape}; they must be of one size"
        raise ValueError(msg)
    side = 2 * radius + 1
    mean_guide, mean_source = box_mean(guide, side), box_mean(source, side)
    # About the means of the whole maps: E[x²] − E[x]² of values far from zero cancels in single precision.
    centred_guide, centred_source = guide - guide.mean(), source - source.mean()
    local_guide, local_source = mean_guide - guide.mean(), mean_source - source.mean()
    variance = np.maximum(box_mean(centred_guide * centred_guide, side) - local_guide * local_guide, 0)
    covariance = box_mean(centred_guide * centred_source, side) - local_guide * local_source
    slope = covariance / (variance + np.float32(epsilon))
    return box_mean(slope, side), box_mean(mean_source - slope * mean_guide, side)


class RowEnlarger:
    """Enlarges a map bilinearly, as `cv2.resize` does, but a few rows at a time, so that it's never there in full size."""

    def __init__(self, small: Map, width: int, height: int) -> None:
        """`small` is what `width` × `height` pixels were reduced to."""
        rows = small.shape[0]
        self._wide = np.asarray(cv2.resize(small, (width, rows), interpolation=cv2.INTER_LINEAR), np.float32)
        position = np.clip((np.arange(height) + 0.5) * (rows / height) - 0.5, 0, rows - 1)
        self._above = position.astype(np.intp)
        self._below = np.minimum(self._above + 1, rows - 1)
        self._share = (position - self._above).astype(np.float32)[:, np.newaxis]

    def rows(self, start: int, stop: int) -> Map:
        """Return the rows `start` up to but not including `stop` of the enlarged map."""
        above: Map = self._wide[self._above[start:stop]]
        below: Map = self._wide[self._below[start:stop]]
        below -= above
        below *= self._share[start:stop]
        below += above
        return below
