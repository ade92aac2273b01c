"""Models of tagging as they are shipped: checked against their published sum, run by onnxruntime."""

import hashlib
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

_SUMS: Final = "tagging.sha256"


class Model:
    """One ONNX file that takes pictures. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self, name: str) -> None:
        """Load `name`, a file of the data folder. Raises `ValueError` if it is not the one that was shipped."""
        options = onnxruntime.SessionOptions()
        # Pictures are recognised side by side, so each takes one thread: more per picture only add hand-overs.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_read(name), options, providers=["CPUExecutionProvider"])

    def run(self, pixels: npt.NDArray[np.uint8], *outputs: str) -> list[npt.NDArray[np.float32]]:
        """Compute `outputs` for N pictures. `pixels`: N × height × width × 3, RGB, 0–255, of the size the model takes."""
        results: list[npt.NDArray[np.float32]] = self._session.run(list(outputs), {"pixels": pixels})
        return results


def _read(name: str) -> bytes:
    folder = files("gateway.engines") / "data"
    sums = dict(line.split()[::-1] for line in (folder / _SUMS).read_text(encoding="ascii").splitlines())
    model = (folder / name).read_bytes()
    if hashlib.sha256(model).hexdigest() != sums.get(name):
        msg = f"{name} is damaged: its SHA-256 is not the published one"
        raise ValueError(msg)
    return model
