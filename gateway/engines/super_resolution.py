"""Enlarging a picture three or four times by a small convolutional network.

All three channels are enlarged by bicubic interpolation first. The network sees only luma, and gives the detail that this
lacks; it is added to red, green and blue alike, which changes luma by just that and leaves the chroma bicubic.

ESPCN: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network", CVPR 2016. SRCNN: Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016. Both are
networks of this project's own after these papers; gateway/engines/data/SUPER_RESOLUTION.md says how they differ.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.engines.detail import MODELS, SCALES, DetailNetwork
from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.tiles import tiles

_TILE: Final = {"ESPCN": 160, "SRCNN": 80}
"""Side of the tiles, in pixels of the input: large beside what they overlap by, small beside the processor's cache."""

_LUMA: Final = np.array([[0.299, 0.587, 0.114]], dtype=np.float32)
"""Luma of ITU-R BT.601."""


class SuperResolution:
    """Enlarges pictures. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self, *, tile: int | None = None) -> None:
        """Load the models. Raises `ValueError` if a file is damaged.

        `tile`: side of the tiles, in pixels of the input; the result does not depend on it.
        """
        self._tile = tile
        self._networks = {(model, scale): DetailNetwork(model, scale) for model in MODELS for scale in SCALES}

    def upscale(
        self,
        pixels: npt.NDArray[np.uint8],
        *,
        scale: int = 3,
        model: str = "ESPCN",
        checkpoint: Checkpoint = never_cancelled,
    ) -> npt.NDArray[np.uint8]:
        """Enlarge an RGB picture.

        `pixels`: H × W × 3, 0–255, from 1 × 1 up. `scale`: 3 or 4. `model`: `ESPCN` or `SRCNN`.
        Returns H·scale × W·scale × 3. Beyond its border the picture is taken to go on with its outermost pixels.
        Beside input and result it needs what one tile takes. Raises `ValueError` for another shape, scale or model.
        """
        network = self._networks.get((model, scale))
        if network is None:
            msg = f"model {model!r} with scale {scale!r}; there are {' and '.join(MODELS)}, each with scale 3 and 4"
            raise ValueError(msg)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size or pixels.dtype != np.uint8:
            msg = f"pixels are {pixels.dtype} {pixels.shape}, not uint8 (height, width, 3)"
            raise ValueError(msg)
        height, width = pixels.shape[:2]
        result = np.empty((height * scale, width * scale, 3), dtype=np.uint8)
        for tile in tiles(height, width, side=self._tile or _TILE[model], margin=network.margin):
            checkpoint()
            result[tile.enlarged(scale)] = _enlarged(tile.cut(pixels), network)
        return result

    def self_test(self) -> None:
        """Raise `ValueError` if a model does not compute: of an edge it is to make a steeper one than bicubic does."""
        edge = np.full((16, 16, 3), 60, dtype=np.uint8)
        edge[:, 8:] = 190
        for model, scale in self._networks:
            bicubic = np.asarray(cv2.resize(edge, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
            if _steepest(self.upscale(edge, scale=scale, model=model)) <= _steepest(bicubic):
                msg = f"{model} with scale {scale} does not sharpen an edge"
                raise ValueError(msg)


def _enlarged(pixels: npt.NDArray[np.uint8], network: DetailNetwork) -> npt.NDArray[np.uint8]:
    """Enlarge a tile and leave out its margin."""
    small = pixels.astype(np.float32)
    large = np.asarray(
        cv2.resize(small, None, fx=network.scale, fy=network.scale, interpolation=cv2.INTER_CUBIC), dtype=np.float32
    )
    seen = np.asarray(cv2.transform(large if network.enlarged else small, _LUMA), dtype=np.float32)
    beyond = network.margin * network.scale
    inner = slice(beyond, -beyond), slice(beyond, -beyond)
    detail = network.detail(seen)
    # Rounded once, at the very end, and clipped to what a pixel can hold.
    return np.asarray(cv2.add(large[inner], cv2.merge([detail] * 3), dtype=cv2.CV_8U), dtype=np.uint8)


def _steepest(pixels: npt.NDArray[np.uint8]) -> int:
    return int(np.abs(np.diff(pixels.astype(np.int16), axis=1)).max())
