"""Looking at a picture several times: all of it and parts of it, each as the square that a network takes."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float64]
"""N × 4: left, top, right, bottom."""

_NEARLY_SQUARE: Final = 1.1
"""Ratio of the sides up to which a square part would show nothing that the whole does not."""


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def pixels(self, picture: Pixels, side: int) -> Pixels:
        """What is seen, as `side` × `side` × 3, whatever its proportions."""
        part = picture[self.top : self.top + self.height, self.left : self.left + self.width]
        reduces = min(self.width, self.height) >= side
        square = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA if reduces else cv2.INTER_LINEAR)
        return np.ascontiguousarray(square, dtype=np.uint8)

    def in_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in parts of the view (0 to 1) as pixels of the picture, cut at the view's border."""
        size, offset = (self.width, self.height) * 2, (self.left, self.top) * 2
        return np.clip(boxes, 0.0, 1.0) * np.array(size, dtype=np.float64) + np.array(offset, dtype=np.float64)


def whole(picture: Pixels) -> View:
    """All of it."""
    height, width = picture.shape[:2]
    return View(0, 0, width, height)


def squares(picture: Pixels) -> tuple[View, ...]:
    """The squares at both ends of the longer side, and all of the picture where they leave out its middle: what is seen in its
    true proportions is told better. Of a picture that is nearly square itself, all of it alone."""
    height, width = picture.shape[:2]
    side, length = sorted((width, height))
    if length < _NEARLY_SQUARE * side:
        return (whole(picture),)
    ends = (View(0, 0, side, side), View(width - side, height - side, side, side))
    return ends if length <= 2 * side else (whole(picture), *ends)
