"""Fits the logistic models of the scene words to the classifier's scores and the figures of layout."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bench.engines.tagging.examples import Example
from bench.engines.tagging.logistic import fit
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.scenes import SceneWords

PENALTY = 0.1
LEAST_SHOWN = 4
"""Pictures that must show a word for it to be learned."""

NEVER = -8.0
"""The log odds of a word that was not learned."""

LAYOUT_WEIGHT = 0.5
"""How much the figures of layout count beside the classifier's scores, before anything is learned."""

Floats = npt.NDArray[np.float64]


def unfitted(examples: Sequence[Example], words: Sequence[str]) -> SceneWords:
    """Models that never say anything, with inputs of unit deviation, shared out so that all scores together, and all figures
    together, count for a fixed amount."""
    raw = np.array([np.concatenate([one.evidence.logits.mean(axis=0), one.evidence.figures]) for one in examples])
    deviation = raw.std(axis=0)
    scores = 1.0 / (deviation[:CLASSES] + 0.1) / np.sqrt(CLASSES)
    figures = LAYOUT_WEIGHT / (deviation[CLASSES:] + 0.001) / np.sqrt(FIGURES)
    size = CLASSES + FIGURES
    scale = np.concatenate([scores, figures])
    return SceneWords(raw.mean(axis=0), scale, np.zeros((len(words), size)), np.full(len(words), NEVER))


def fitted(models: SceneWords, examples: Sequence[Example], words: Sequence[str]) -> SceneWords:
    """The same with weights. A word that hardly a picture shows is never said."""
    raw = np.array([np.concatenate([one.evidence.logits.mean(axis=0), one.evidence.figures]) for one in examples])
    scaled = (raw - models.mean) * models.scale
    weights, bias = np.zeros_like(models.weights), np.full_like(models.bias, NEVER)
    for row, word in enumerate(words):
        told = np.array([one.tells(word) for one in examples])
        shown = np.array([one.shows(word) for one in examples], dtype=np.float64)
        if shown[told].sum() >= LEAST_SHOWN:
            weights[row], bias[row] = fit(scaled[told], shown[told], penalty=PENALTY)
    return replace(models, weights=weights, bias=bias)
