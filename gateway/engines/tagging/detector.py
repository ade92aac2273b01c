"""The shipped detectors: where COCO's 80 kinds of things are, in one look at a picture."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.model import Model
from gateway.engines.tagging.boxes import clusters
from gateway.engines.tagging.views import Boxes, Pixels, View

CLASSES: Final = 80

LEAST_SCORE: Final = 0.1
"""What is below is not looked at further: there is ten times as much of it, and next to none of it is right."""

_MOST: Final = 100
"""Boxes kept of one look, the best: a picture of noise gives thousands."""

_SAME: Final = 0.5
"""Overlap from which two boxes of one class are taken for the same thing."""


@dataclass(frozen=True, slots=True)
class Findings:
    """N boxes in pixels of the picture, each with a class (0 to 79) and a score (0 to 1)."""

    boxes: Boxes
    classes: npt.NDArray[np.intp]
    scores: npt.NDArray[np.float64]


class Detector:
    """One network. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self, name: str, side: int) -> None:
        """Load the model `name`, which takes squares of `side`. Raises `ValueError` if its file is damaged."""
        self._model = Model(name)
        self._side = side

    def find(self, picture: Pixels, view: View) -> Findings:
        """What is seen in one view of a picture (H × W × 3, RGB), each thing once for each class it may be."""
        boxes, scores = self._model.run(view.pixels(picture, self._side)[np.newaxis], "boxes", "scores")
        # By position in the flat array, which is found ten times as fast as rows and columns.
        rows, classes = np.divmod(np.flatnonzero(scores[0] >= LEAST_SCORE), CLASSES)
        values = scores[0][rows, classes].astype(np.float64)
        best = np.argsort(-values, kind="stable")[:_MOST]
        found = Findings(view.in_picture(boxes[0][rows[best]].astype(np.float64)), classes[best], values[best])
        return _without_repeats(found)


def _without_repeats(found: Findings) -> Findings:
    kept = [
        indices[group[0]]
        for indices in (np.nonzero(found.classes == kind)[0] for kind in np.unique(found.classes))
        for group in clusters(found.boxes[indices], found.scores[indices], _SAME)
    ]
    order = np.array(kept, dtype=np.intp)
    return Findings(found.boxes[order], found.classes[order], found.scores[order])
