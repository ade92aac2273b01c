"""The shipped super-resolution networks, run by onnxruntime.

Each gives the detail that a bicubic enlargement of luma lacks. None pads: the result is smaller than the input by what the
filters need around a pixel, so that each pixel comes out the same wherever in a tile it lies.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.shipped import session

MODELS: Final = ("ESPCN", "SRCNN")
SCALES: Final = (3, 4)

_BICUBIC_REACH: Final = 2
"""Pixels of the small picture that a bicubic enlargement needs around a pixel."""

Plane = npt.NDArray[np.float32]


class DetailNetwork:
    """One model for one scale. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self, model: str, scale: int) -> None:
        """Load it. `model`: of `MODELS`, `scale`: of `SCALES`. Raises `ValueError` if the file is not the shipped one."""
        # A plan of memory would be kept for each shape that ever comes, and the tiles at the border come in any.
        self._session = session(f"{model.lower()}_x{scale}.onnx", memory_pattern=False)
        properties = self._session.get_modelmeta().custom_metadata_map
        reach = int(properties["reach"])
        self.scale = scale
        self.enlarged = properties["input"] == "enlarged"
        """Whether it looks at enlarged luma, as SRCNN does, or at the small picture's."""
        self.margin = -(-reach // scale) + _BICUBIC_REACH if self.enlarged else max(reach, _BICUBIC_REACH)
        """Pixels of the small picture that are needed around what is to be enlarged."""
        self._unused = self.margin * scale - reach if self.enlarged else (self.margin - reach) * scale

    def detail(self, luma: Plane) -> Plane:
        """Return what to add to the bicubic enlargement, without the margin. `luma`: 0–255."""
        (result,) = self._session.run(["detail"], {"luma": luma[np.newaxis, np.newaxis]})
        height, width = result.shape[2:]
        detail: Plane = result[0, 0, self._unused : height - self._unused, self._unused : width - self._unused]
        return detail
