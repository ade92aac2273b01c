import io

import numpy as np
import pytest

from gateway.engines.tagging import scenes
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.scenes import load_scene_words

SIZE = CLASSES + FIGURES


@pytest.fixture
def shipping(monkeypatch, tmp_path):
    """Ships other arrays instead."""

    def ship(**arrays: np.ndarray) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "scenes.npz").write_bytes(buffer.getvalue())
        monkeypatch.setattr(scenes, "files", lambda _: tmp_path)

    return ship


def test_a_word_weighs_scores_and_figures(shipping) -> None:
    weights = np.zeros((2, SIZE))
    weights[0, 3] = 2.0  # one of the classifier's scores
    weights[1, CLASSES + 1] = -1.0  # one of the figures
    shipping(mean=np.full(SIZE, 1.0), scale=np.full(SIZE, 0.5), weights=weights, bias=np.array([0.5, 0.0]))
    logits = np.zeros((2, CLASSES), dtype=np.float32)
    logits[:, 3] = 4.0, 8.0
    figures = np.zeros(FIGURES)
    figures[1] = 3.0
    assert load_scene_words(2).odds(logits, figures).tolist() == [2.0 * (6 - 1) * 0.5 + 0.5, -1.0 * (3 - 1) * 0.5]


@pytest.mark.parametrize(("rows", "size"), [(3, SIZE), (2, SIZE - 1)])
def test_weights_for_other_words_are_refused(shipping, rows, size) -> None:
    shipping(mean=np.zeros(size), scale=np.ones(size), weights=np.zeros((rows, size)), bias=np.zeros(rows))
    with pytest.raises(ValueError, match="does not hold 2 words"):
        load_scene_words(2)
