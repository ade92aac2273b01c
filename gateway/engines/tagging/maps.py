"""Where in a picture the classifier sees what it names.

Its score of a class is the mean of the scores that it gives the 7 × 7 cells of a view, so these are a coarse map of where the
class is: class activation maps (Zhou et al., "Learning deep features for discriminative localization", CVPR 2016, section 2).
The colours of the picture tell where in the warm part the thing ends: GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004).
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.views import Boxes, Pixels, View

Heat = npt.NDArray[np.float32]
"""H × W: how much speaks for a thing in each place of the picture; below 0 what speaks against it."""

_SIDE: Final = 112
"""The longer side of a map of the picture."""

_THING, _BACKGROUND, _EXTENT = 0.3, 0.1, 0.2
"""Parts of a map's largest value: from the first a pixel likely belongs to the thing, below the second surely not; the third
is where the thing ends if colours do not tell."""

_ROUNDS: Final = 2
"""Of GrabCut: more of them changed little."""

_LEAST_PART: Final = 0.05
"""Part of the box around what is warm that a thing in it has to fill: less is taken for a mark on it."""


def small(picture: Pixels) -> Pixels:
    """A picture (H × W × 3) in the size of its map."""
    height, width = picture.shape[:2]
    size = (_up(width, max(width, height)), _up(height, max(width, height)))
    reduces = max(width, height) >= _SIDE
    return np.ascontiguousarray(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR), np.uint8
    )


def heat(cells: npt.NDArray[np.float32], views: Sequence[View], size: tuple[int, int]) -> Heat:
    """The map of a whole picture, its longer side `_SIDE`: the mean of its views where they overlap.

    `cells`: of V views, V × rows × columns. `views`: where each lies; together they show all of the picture. `size`: width and
    height of the picture.
    """
    longest = max(size)
    total = np.zeros((_up(size[1], longest), _up(size[0], longest)), dtype=np.float32)
    count = np.zeros_like(total)
    for grid, view in zip(cells, views, strict=True):
        left, top = view.left * _SIDE // longest, view.top * _SIDE // longest
        right, bottom = _up(view.left + view.width, longest), _up(view.top + view.height, longest)
        total[top:bottom, left:right] += cv2.resize(grid, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        count[top:bottom, left:right] += 1.0
    result: Heat = total / count
    return result


def extent(warm: Heat, colours: Pixels, size: tuple[int, int]) -> Boxes:
    """The box around the thing that a map speaks for, in pixels of the picture: 1 × 4, or 0 × 4 if nothing speaks for it
    anywhere. `colours`: the picture in the map's size; `size`: its own width and height."""
    peak = float(warm.max())
    if not peak > 0.0:
        return np.zeros((0, 4))
    around, _ = _largest(warm >= _EXTENT * peak)
    outlined, filled = _largest(_cut_out(warm / peak, colours))
    corners = outlined if filled and _area(outlined) >= _LEAST_PART * _area(around) else around
    limits = np.array(size * 2, dtype=np.float64)
    return np.minimum(np.array([corners]) * (max(size) / _SIDE), limits)


def _cut_out(warm: Heat, colours: Pixels) -> npt.NDArray[np.bool_]:
    """The pixels of the thing, none if its colours are those of what is around it. `warm`: 1 at the peak."""
    kinds = np.select([warm < _BACKGROUND, warm < _THING], [cv2.GC_BGD, cv2.GC_PR_BGD], cv2.GC_PR_FGD).astype(np.uint8)
    if (kinds == cv2.GC_PR_FGD).all():
        return np.zeros(kinds.shape, dtype=np.bool_)
    # It starts from random means, and each thread has a state of its own.
    cv2.setRNGSeed(0)
    cv2.grabCut(colours, kinds, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    thing: npt.NDArray[np.bool_] = kinds == cv2.GC_PR_FGD
    return thing


def _largest(mask: npt.NDArray[np.bool_]) -> tuple[tuple[int, int, int, int], int]:
    """The box of the largest connected part, and its pixels: 0 if nothing is in the mask."""
    _, _, parts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if len(parts) < 2:
        return (0, 0, 0, 0), 0
    left, top, width, height, pixels = parts[1 + parts[1:, cv2.CC_STAT_AREA].argmax()].tolist()
    return (left, top, left + width, top + height), pixels


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _up(pixels: int, longest: int) -> int:
    """Rounded up to what a map has of them, so that nothing is lost at the right and below."""
    return -(-pixels * _SIDE // longest)
