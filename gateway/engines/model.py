"""The networks of tagging, run by onnxruntime."""

import numpy as np
import numpy.typing as npt

from gateway.engines.shipped import session


class Model:
    """One ONNX file that takes pictures. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self, name: str) -> None:
        """Load `name`, a file of the data folder. Raises `ValueError` if it is not the one that was shipped."""
        self._session = session(name)

    def run(self, pixels: npt.NDArray[np.uint8], *outputs: str) -> list[npt.NDArray[np.float32]]:
        """Compute `outputs` for N pictures. `pixels`: N × height × width × 3, RGB, 0–255, of the size the model takes."""
        results: list[npt.NDArray[np.float32]] = self._session.run(list(outputs), {"pixels": pixels})
        return results
