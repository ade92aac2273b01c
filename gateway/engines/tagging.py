"""Tagging: a classifier's probabilities, and their sums over the concepts that the classes belong to.

A softmax gives each of 1000 narrow classes a share of one. That the picture shows a dog of whatever breed is the sum of
the shares of all breeds, so a broader concept is often certain where no single class is. Shares near nothing are left out
of the sums: four classes in ten are animals, and the crumbs of all of them would make every unclear picture one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.labels import TYPE_NAMES, Label, Vocabulary, load_vocabulary
from gateway.engines.model import CLASSES, INPUT_SIDE, Classifier
from gateway.media import Tag, TaggingParameters

_LEAST_EVIDENCE: Final = 0.01
"""Share under which a class counts for nothing: ten times what a guess among 1000 would give it."""


class TaggingEngine:
    """Tags pictures. Thread-safe, without state after construction."""

    def __init__(self) -> None:
        """Load model and names. Raises `ValueError` if a data file is damaged."""
        self._classifier = Classifier()
        vocabulary = load_vocabulary()
        if len(vocabulary.classes) != CLASSES:
            msg = f"labels.tsv has {len(vocabulary.classes)} rows, not {CLASSES}"
            raise ValueError(msg)
        self._labels: tuple[Label, ...] = vocabulary.classes + vocabulary.concepts
        self._membership = _membership(vocabulary)

    def tag(self, pixels: npt.NDArray[np.uint8], parameters: TaggingParameters) -> tuple[Tag, ...]:
        """Return the tags of one picture, highest confidence first. `pixels`: 224 × 224 × 3, RGB, 0–255."""
        classes = _softmax(self._classifier.logits(pixels[np.newaxis])[0])
        # Percent, clipped because a sum of rounded shares can end a hair above one.
        evidence = np.where(classes >= _LEAST_EVIDENCE, classes, 0.0)
        confidences = np.minimum(np.concatenate([classes, self._membership @ evidence]), 1.0) * 100.0
        # Stable: of equals, the narrower comes first.
        ranked = np.argsort(-confidences, kind="stable")[: parameters.limit]
        return tuple(
            self._tag(int(index), float(confidences[index]), parameters)
            for index in ranked
            if confidences[index] >= parameters.threshold
        )

    def self_test(self) -> None:
        """Raise `ValueError` if the model does not compute."""
        logits = self._classifier.logits(np.zeros((1, INPUT_SIDE, INPUT_SIDE, 3), dtype=np.uint8))
        if logits.shape != (1, CLASSES) or not np.isfinite(logits).all():
            msg = "the classifier does not give finite scores"
            raise ValueError(msg)

    def _tag(self, index: int, confidence: float, parameters: TaggingParameters) -> Tag:
        label = self._labels[index]
        return Tag(
            name=label.name.in_language(parameters.language),
            confidence=confidence,
            type=label.type,
            localized_name=label.name,
            localized_type=TYPE_NAMES[label.type],
        )


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shares = np.exp(logits.astype(np.float64) - float(logits.max()))
    normalised: npt.NDArray[np.float64] = shares / shares.sum()
    return normalised


def _membership(vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
    """Concepts × classes: 1 where the class belongs to the concept."""
    matrix = np.zeros((len(vocabulary.concepts), len(vocabulary.classes)))
    for row, members in zip(matrix, vocabulary.members, strict=True):
        row[list(members)] = 1.0
    return matrix
