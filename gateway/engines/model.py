"""The shipped classifier, EfficientNet-Lite0 (ImageNet-1k), run by onnxruntime. The only module that knows onnxruntime."""

import hashlib
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

INPUT_SIDE: Final = 224
"""The classifier looks at a square of this many pixels."""

CLASSES: Final = 1000

_MODEL: Final = "efficientnet_lite0.onnx"


class Classifier:
    """Gives each ImageNet class a score. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self) -> None:
        """Load the model. Raises `ValueError` if its file is not the one that was shipped."""
        folder = files("gateway.engines") / "data"
        model = (folder / _MODEL).read_bytes()
        expected = (folder / "efficientnet_lite0.sha256").read_text(encoding="ascii").split()[0]
        if hashlib.sha256(model).hexdigest() != expected:
            msg = f"{_MODEL} is damaged: its SHA-256 is not the published one"
            raise ValueError(msg)
        options = onnxruntime.SessionOptions()
        # Pictures are recognised side by side, so each takes one thread: more per picture only add hand-overs.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def logits(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Score pictures. `pixels`: N × 224 × 224 × 3, RGB, 0–255. Returns N × 1000 logits."""
        (scores,) = self._session.run(["logits"], {"pixels": pixels})
        result: npt.NDArray[np.float32] = scores
        return result
