"""Pairs of a network's input and the detail that it is to give, and batches of patches out of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from tools.train_super_resolution.photographs import Photograph, cropped, reduced, through_jpeg

_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32) / 255
_FLAT: Final = 0.005
"""Added to the bicubic error of a patch, of 1, before patches are drawn in proportion to it: flat ones are drawn, too."""

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """`given`: luma, -0.5 to 0.5, small or (`ratio` 1) enlarged; `detail`: `ratio` times as large, original minus bicubic."""

    name: str
    given: Plane
    detail: Plane
    ratio: int


def pair(photograph: Photograph, scale: int, *, enlarged: bool, quality: int | None = None) -> Pair:
    """Make a photograph smaller by `scale`, enlarge it again by OpenCV's bicubic, and note what is lost.

    With `quality` the small picture is what JPEG of that quality leaves of it.
    """
    original = cropped(photograph.pixels, scale)
    given = reduced(original, scale)
    small = (given if quality is None else through_jpeg(given, quality)).astype(np.float32) @ _LUMA
    size = original.shape[1], original.shape[0]
    large = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    detail = original.astype(np.float32) @ _LUMA - large
    return Pair(photograph.name, (large if enlarged else small) - 0.5, detail, 1 if enlarged else scale)


def smaller(photograph: Photograph) -> Photograph:
    """Return the photograph at three quarters of its size: finer texture of the same kind."""
    height, width = (length * 3 // 4 for length in photograph.pixels.shape[:2])
    return Photograph(f"{photograph.name} ¾", cv2.resize(photograph.pixels, (width, height), interpolation=cv2.INTER_AREA))


class Patches:
    """Draws square patches whose inner `side` × `side` the network fills; `reach` is what it needs around them."""

    def __init__(self, pairs: list[Pair], *, side: int, reach: int) -> None:
        """Weigh each place by the bicubic error there."""
        self._pairs, self._side, self._whole = pairs, side, side + 2 * reach
        self._reach = reach
        places, weights = [], []
        for index, one in enumerate(pairs):
            error = cv2.resize(one.detail**2, one.given.shape[::-1], interpolation=cv2.INTER_AREA)
            sums = cv2.integral(error)
            rows = np.arange(0, one.given.shape[0] - self._whole + 1, max(side // 8, 1))
            columns = np.arange(0, one.given.shape[1] - self._whole + 1, max(side // 8, 1))
            if not (rows.size and columns.size):
                continue
            top, left = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
            y, x = top + reach, left + reach
            inside = sums[y + side, x + side] - sums[y, x + side] - sums[y + side, x] + sums[y, x]
            places.append(np.stack([np.full_like(top, index), top, left], axis=1))
            weights.append(np.sqrt(np.maximum(inside, 0) / side**2) + _FLAT)
        self._places = np.concatenate(places)
        weight = np.concatenate(weights)
        self._chance = np.cumsum(weight / weight.sum())

    def batches(self, size: int, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Draw batches without end; each is turned and mirrored as a whole."""
        random = np.random.default_rng(seed)
        while True:
            drawn = np.minimum(np.searchsorted(self._chance, random.random(size)), len(self._places) - 1)
            given, detail = zip(*(self._patch(*self._places[place]) for place in drawn), strict=True)
            turns, mirrored = int(random.integers(4)), bool(random.integers(2))
            yield _turned(np.stack(given), turns, mirrored), _turned(np.stack(detail), turns, mirrored)

    def _patch(self, index: int, top: int, left: int) -> tuple[Plane, Plane]:
        one = self._pairs[index]
        y, x, side = (top + self._reach) * one.ratio, (left + self._reach) * one.ratio, self._side * one.ratio
        return one.given[top : top + self._whole, left : left + self._whole], one.detail[y : y + side, x : x + side]


def _turned(planes: npt.NDArray[np.float32], turns: int, mirrored: bool) -> torch.Tensor:
    turned = np.rot90(planes, turns, axes=(1, 2))
    if mirrored:
        turned = turned[:, :, ::-1]
    return torch.from_numpy(np.ascontiguousarray(turned)[:, np.newaxis])
