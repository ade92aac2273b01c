"""Words for the scene as a whole, which no class of the classifier and no box stands for: forest, night, indoor …

A logistic model for each word sees the classifier's thousand scores, most of which know something about the surroundings
(an oxcart makes a field likely, a barber chair a room), and figures of colour and layout. It was fitted by
bench/engines/tagging/fit.py on free photographs.
"""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.layout import FIGURES

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SceneWords:
    """Gives each of W words its log odds, from D = `CLASSES` + `FIGURES` inputs.

    `mean` and `scale` (D each) make the inputs comparable; `weights` are W × D, `bias` W.
    """

    mean: Floats
    scale: Floats
    weights: Floats
    bias: Floats

    def odds(self, logits: npt.NDArray[np.float32], figures: Floats) -> Floats:
        """Of each word. `logits`: the classifier's for V views of the picture (V × 1000); `figures`: of `layout`."""
        evidence = (np.concatenate([logits.mean(axis=0), figures]) - self.mean) * self.scale
        result: Floats = self.weights @ evidence + self.bias
        return result


def load_scene_words(words: int) -> SceneWords:
    """Read the shipped weights of `words` words. Raises `ValueError` if the file has other ones."""
    with (files("gateway.engines") / "data" / "scenes.npz").open("rb") as file, np.load(file) as arrays:
        shipped = SceneWords(*(arrays[name].astype(np.float64) for name in ("mean", "scale", "weights", "bias")))
    size = CLASSES + FIGURES
    if shipped.mean.shape != (size,) or shipped.scale.shape != (size,) or shipped.weights.shape != (words, size):
        msg = f"scenes.npz does not hold {words} words of {size} weights"
        raise ValueError(msg)
    return shipped
