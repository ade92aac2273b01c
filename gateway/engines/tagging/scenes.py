"""Words for the scene as a whole, which no class of the classifier and no box stands for: forest, night, indoor …

A logistic model for each word sees the classifier's thousand scores, most of which know something about the surroundings
(an oxcart makes a field likely, a barber chair a room), and figures of colour and layout. It was fitted by
bench/engines/tagging/fit.py on free photographs.
"""

from importlib.resources import files

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.layout import FIGURES


class SceneWords:
    """Gives each scene word its log odds. Thread-safe, without state after construction."""

    def __init__(self, words: int) -> None:
        """Load the weights of `words` words. Raises `ValueError` if the file has other ones."""
        with (files("gateway.engines") / "data" / "scenes.npz").open("rb") as file, np.load(file) as arrays:
            self._mean, self._scale, self._weights, self._bias = (
                arrays[name].astype(np.float64) for name in ("mean", "scale", "weights", "bias")
            )
        size = CLASSES + FIGURES
        if self._mean.shape != (size,) or self._scale.shape != (size,) or self._weights.shape != (words, size):
            msg = f"scenes.npz does not hold {words} words of {size} weights"
            raise ValueError(msg)

    def odds(self, logits: npt.NDArray[np.float32], figures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Of each word. `logits`: the classifier's for V views of the picture (V × 1000); `figures`: of `layout`."""
        evidence = (np.concatenate([logits.mean(axis=0), figures]) - self._mean) * self._scale
        result: npt.NDArray[np.float64] = self._weights @ evidence + self._bias
        return result
