"""Boxes that overlap: how much, and which of them show the same thing."""

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.views import Boxes


def overlaps(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of each of N boxes with each of M: N × M, 0 to 1 (0 where a box has no area)."""
    corner = np.maximum(first[:, np.newaxis, :2], second[np.newaxis, :, :2])
    opposite = np.minimum(first[:, np.newaxis, 2:], second[np.newaxis, :, 2:])
    common = np.prod(np.maximum(opposite - corner, 0.0), axis=2)
    union = areas(first)[:, np.newaxis] + areas(second)[np.newaxis] - common
    result: npt.NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return result


def areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    """Of N boxes, each 0 if it is turned inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    result: npt.NDArray[np.float64] = sides[:, 0] * sides[:, 1]
    return result


def clusters(boxes: Boxes, scores: npt.NDArray[np.float64], threshold: float) -> list[npt.NDArray[np.intp]]:
    """Group what overlaps a group's best box by more than `threshold`: greedy non-maximum suppression that keeps what it
    suppresses. Groups come with the best first, and so do the indices in each. Of equals, the earlier is the better."""
    waiting = np.argsort(-scores, kind="stable")
    common = overlaps(boxes, boxes)
    groups: list[npt.NDArray[np.intp]] = []
    while waiting.size:
        belongs = common[waiting[0], waiting] > threshold
        belongs[0] = True
        groups.append(waiting[belongs])
        waiting = waiting[~belongs]
    return groups
