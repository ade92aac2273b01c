"""The shipped classifier, EfficientNet-Lite0: how much each of ImageNet's 1000 classes is there, and where."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.model import Model

SIDE: Final = 224
"""It looks at a square of this many pixels."""

CLASSES: Final = 1000

CELLS: Final = 7
"""The square has this many rows and columns of cells, each of which has scores of its own."""


class Classifier:
    """Gives each ImageNet class a score. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self) -> None:
        """Load the model. Raises `ValueError` if its file is not the one that was shipped."""
        self._model = Model("efficientnet_lite0.onnx")

    def scores(self, pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Score pictures. `pixels`: N × 224 × 224 × 3, RGB, 0–255. Returns N × 1000 logits, and those of the cells, of which
        they are the means: N × 7 × 7 × 1000, rows from the top, columns from the left."""
        logits, cells = self._model.run(pixels, "logits", "cells")
        return logits, cells


def shares(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Softmax of each of N rows: what each class has of one."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    normalised: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return normalised
