"""Tagging: the classifier's classes and the concepts above them, things with boxes, and words for the scene.

The classifier's softmax gives each of 1000 narrow classes a share of one. That the picture shows a dog of whatever breed is
the sum of the shares of all breeds, so a broader concept is often certain where no single class is. Two detectors see things
that the classifier has no class for, and where they are; both are sure of nonsense outside their 80 kinds, so that a sighting
counts by how many of the looks share it, and by the classifier's share of the same thing. Words for the scene come from all
the classifier's scores and from colours. `confidence` makes the sources comparable.
"""

from typing import Final

import numpy as np

from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.confidence import percent
from gateway.engines.tagging.judge import Judge, Places
from gateway.engines.tagging.observer import Observer
from gateway.engines.tagging.views import Pixels
from gateway.engines.tagging.vocabulary import TYPE_NAMES, load_vocabulary
from gateway.media import Box, Tag, TaggingParameters, TagInstance

_LEAST_PLACE: Final = 30.0
"""Confidence from which a place is told, beside the tag's own threshold."""


class TaggingEngine:
    """Tags pictures. Thread-safe, without state after construction."""

    WORKING_SIDE: Final = 640
    """A picture is best given with its longer side at most this: the networks look at 512 pixels at most."""

    def __init__(self) -> None:
        """Load models, names and weights (tenths of a second). Raises `ValueError` if a data file is damaged."""
        self._observer = Observer()
        self._vocabulary = load_vocabulary()
        if len(self._vocabulary.classes) != CLASSES:
            msg = f"labels.tsv has {len(self._vocabulary.classes)} rows, not {CLASSES}"
            raise ValueError(msg)
        self._judge = Judge(self._vocabulary)

    def tag(self, pixels: Pixels, parameters: TaggingParameters, checkpoint: Checkpoint = never_cancelled) -> tuple[Tag, ...]:
        """Return the tags of one picture, highest confidence first; of equals, the narrower first.

        `pixels`: the whole picture upright, H × W × 3, RGB, 0–255, of any size from 1 × 1. Boxes are in pixels of it. A tag's
        confidence is the percentage of tags of that confidence that were right on the pictures of the calibration.
        """
        odds, places = self._judge.weigh(self._observer.look(pixels, checkpoint))
        confidences = percent(odds)
        depths = np.array([len(above) for above in self._vocabulary.ancestors])
        ranked = np.lexsort((-depths, -confidences))[: parameters.limit]
        return tuple(
            self._tag(int(label), float(confidences[label]), places.get(int(label)), parameters)
            for label in ranked
            if confidences[label] >= parameters.threshold
        )

    def self_test(self) -> None:
        """Raise `ValueError` if the models do not compute."""
        odds, _ = self._judge.weigh(self._observer.look(np.zeros((32, 32, 3), dtype=np.uint8), never_cancelled))
        if not np.isfinite(odds).all():
            msg = "the models of tagging do not give finite scores"
            raise ValueError(msg)

    def _tag(self, index: int, confidence: float, places: Places | None, parameters: TaggingParameters) -> Tag:
        label = self._vocabulary.labels[index]
        return Tag(
            name=label.name.in_language(parameters.language),
            confidence=confidence,
            type=label.type,
            localized_name=label.name,
            localized_type=TYPE_NAMES[label.type],
            instances=_instances(places) if places else (),
        )


def _instances(places: Places) -> tuple[TagInstance, ...]:
    """Those that are sure enough, the surest first."""
    confidences = percent(places.odds)
    return tuple(
        TagInstance(Box(left, top, right - left, bottom - top), float(confidences[place]))
        for place in np.argsort(-confidences, kind="stable")
        if confidences[place] >= _LEAST_PLACE
        for left, top, right, bottom in (map(float, places.boxes[place]),)
    )
