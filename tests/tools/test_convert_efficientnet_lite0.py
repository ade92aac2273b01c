"""The shipped classifier is what the tool makes of the package, and its cells add up to its scores."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from convert_efficientnet_lite0 import ConversionError, convert, find_weights

MODEL = Path(__file__).resolve().parents[2] / "gateway" / "engines" / "data" / "efficientnet_lite0.onnx"


def test_the_shipped_file_is_converted_from_the_package_byte_for_byte() -> None:
    try:
        find_weights()
    except ConversionError as error:
        pytest.skip(str(error))
    assert convert() == MODEL.read_bytes()


def test_the_scores_of_a_picture_are_the_means_of_its_cells() -> None:
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(3).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    pixels[:, :, 112:] = 128
    logits, cells = session.run(["logits", "cells"], {"pixels": pixels})
    assert cells.shape == (2, 7, 7, 1000)
    assert cells.mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-4)


def test_rows_of_cells_go_from_the_top_and_columns_from_the_left() -> None:
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    plain = np.full((3, 224, 224, 3), 128, dtype=np.uint8)
    noise = np.random.default_rng(5).integers(0, 256, (96, 64, 3), dtype=np.uint8)
    plain[1, :96, 160:] = noise
    plain[2, 128:, :64] = noise
    (cells,) = session.run(["cells"], {"pixels": plain})
    for number, corner in ((1, "top right"), (2, "bottom left")):
        changed = np.abs(cells[number] - cells[0]).mean(axis=2)
        corners = {
            "top left": changed[:3, :3].mean(),
            "top right": changed[:3, 4:].mean(),
            "bottom left": changed[4:, :3].mean(),
            "bottom right": changed[4:, 4:].mean(),
        }
        first, second = sorted(corners.values())[:1:-1]
        assert max(corners, key=lambda where: corners[where]) == corner
        assert first > 2 * second
