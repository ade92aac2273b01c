"""Working through a picture tile by tile, each with enough of its surroundings that no seam is left."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt


class Tile(NamedTuple):
    """The pixels `top` to `bottom` and `left` to `right` (ends excluded) of a picture, and `margin` pixels around them."""

    top: int
    bottom: int
    left: int
    right: int
    margin: int

    def cut(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the tile with its margin; beyond the picture's border its outermost pixels are repeated."""
        height, width = pixels.shape[:2]
        top, left = self.top - self.margin, self.left - self.margin
        bottom, right = self.bottom + self.margin, self.right + self.margin
        inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
        beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
        if not any(beyond):
            return inside
        return np.asarray(cv2.copyMakeBorder(inside, *beyond, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)

    def enlarged(self, scale: int) -> tuple[slice, slice]:
        """Where the tile, without its margin, lies in a picture `scale` times as large."""
        return slice(self.top * scale, self.bottom * scale), slice(self.left * scale, self.right * scale)


def tiles(height: int, width: int, *, side: int, margin: int) -> Iterator[Tile]:
    """Cover a picture of `height` × `width` with tiles of at most `side` × `side`, row by row, without overlap."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield Tile(top, min(top + side, height), left, min(left + side, width), margin)
