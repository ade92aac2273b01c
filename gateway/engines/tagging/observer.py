"""Running the networks over a picture: all that is known about it before any of it is weighed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.classifier import SIDE, Classifier
from gateway.engines.tagging.detector import Detector, Findings
from gateway.engines.tagging.layout import layout
from gateway.engines.tagging.maps import small
from gateway.engines.tagging.views import Pixels, View, squares, whole

LOOKS: Final = ("ssdlite", "centernet")
"""The networks that look for things, each at the whole picture."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """`size`: width and height of the picture. `views`: what the classifier saw of it. `logits`: the classifier's, V views
    × 1000; `cells`: those of each view's cells, V × 7 × 7 × 1000. `colours`: the picture in the size of
    `maps`. `figures`: of `layout`. `findings`: for each of `LOOKS`."""

    size: tuple[int, int]
    views: tuple[View, ...]
    logits: npt.NDArray[np.float32]
    cells: npt.NDArray[np.float32]
    colours: Pixels
    figures: npt.NDArray[np.float64]
    findings: tuple[Findings, ...]


class Observer:
    """Holds the networks. Thread-safe; each call computes on the thread it is made on."""

    def __init__(self) -> None:
        """Load them (tenths of a second). Raises `ValueError` if a file is damaged."""
        self.classifier = Classifier()
        self._ssdlite = Detector("ssdlite_mobilenet_v2.onnx", 300)
        self._centernet = Detector("centernet_mobilenet_v3.onnx", 512)

    def look(self, picture: Pixels, checkpoint: Callable[[], None]) -> Evidence:
        """Look at a picture (H × W × 3, RGB, 0–255), calling `checkpoint` before each network."""
        all_of_it = whole(picture)
        checkpoint()
        views = squares(picture)
        logits, cells = self.classifier.scores(np.stack([view.pixels(picture, SIDE) for view in views]))
        findings = []
        for detector in (self._ssdlite, self._centernet):
            checkpoint()
            findings.append(detector.find(picture, all_of_it))
        size = (all_of_it.width, all_of_it.height)
        return Evidence(size, views, logits, cells, small(picture), layout(picture), tuple(findings))
