"""Weighing the evidence: how sure each label is, and where its things are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.boxes import overlaps
from gateway.engines.tagging.confidence import Odds, Weights, log_odds, percent
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.scenes import SceneWords
from gateway.engines.tagging.sightings import Sightings
from gateway.engines.tagging.views import Boxes
from gateway.engines.tagging.vocabulary import Vocabulary

_NEVER: Final = -50.0
"""The log odds of what nothing speaks for."""

LEAST_PLACE: Final = 20.0
"""Confidence from which a place is told, beside the tag's own threshold: seven in ten of all that are told are right."""

_SAME: Final = 0.5
"""Overlap from which the classifier's place and a detector's are taken for the same."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the things of one label are: N boxes in pixels of the picture, the surest first, each with its confidence in
    percent."""

    boxes: Boxes
    confidences: npt.NDArray[np.float64]


_NOWHERE: Final = Places(np.zeros((0, 4)), np.zeros(0))


class Judge:
    """Thread-safe, without state after construction."""

    def __init__(self, vocabulary: Vocabulary, weights: Weights, scenes: SceneWords) -> None:
        self._vocabulary = vocabulary
        self._weights = weights
        self._scenes = scenes
        self._reader = Reader(vocabulary)

    def weigh(self, evidence: Evidence) -> tuple[Odds, dict[int, Places]]:
        """The log odds of each label, and places from `LEAST_PLACE` on by label."""
        odds = np.full(len(self._vocabulary.labels), _NEVER)
        share = self._reader.shares(evidence)
        classes, concepts, scenes = self._vocabulary.classes, self._reader.concepts, self._vocabulary.scenes
        odds[concepts] = self._weights.odds("concept", share=log_odds(share[concepts]))
        odds[classes] = self._weights.odds("class", share=log_odds(share[classes]))
        words = self._scenes.odds(evidence.logits, evidence.figures)
        odds[scenes] = np.maximum(odds[scenes], self._weights.odds("scene", scene=words))
        sightings = self._reader.sightings(evidence)
        for label, found in sightings.items():
            seen = self._weights.odds("sighting", **self._reader.for_sightings(label, share, found))
            odds[label] = max(odds[label], seen.max())
        # What is true of a thing is as sure as the thing.
        for label, ancestors in enumerate(self._vocabulary.ancestors):
            for ancestor in ancestors:
                odds[ancestor] = max(odds[ancestor], odds[label])
        confidences = percent(odds)
        told = self._places(confidences, sightings, evidence.size)
        return odds, told | self._mapped(confidences, told, share, evidence)

    def _places(
        self, confidences: npt.NDArray[np.float64], sightings: dict[int, Sightings], size: tuple[int, int]
    ) -> dict[int, Places]:
        """A place is as sure as that the picture shows the label and that, if so, it is there."""
        told: dict[int, Places] = {}
        for label in np.flatnonzero(confidences >= LEAST_PLACE).tolist():
            found = self._reader.among(label, sightings)
            if found is None:
                continue
            there = percent(self._weights.odds("place", **self._reader.for_places(found, size)))
            sure = confidences[label] * there / 100.0
            order = np.argsort(-sure, kind="stable")[: np.count_nonzero(sure >= LEAST_PLACE)]
            if order.size:
                told[label] = Places(found.boxes[order], sure[order])
        return told

    def _mapped(
        self, confidences: npt.NDArray[np.float64], told: dict[int, Places], share: npt.NDArray[np.float64], evidence: Evidence
    ) -> dict[int, Places]:
        """The classifier's place for animals of which the detectors have none to tell that is as sure, before theirs."""
        sure = np.where(self._reader.animals, confidences * percent(self._weights.odds("map")) / 100.0, 0.0)
        for label, places in told.items():
            if places.confidences[0] >= sure[label]:
                sure[label] = 0.0
        labels = np.flatnonzero(sure >= LEAST_PLACE).tolist()
        box = self._reader.mapped(share, evidence) if labels else _NOWHERE.boxes
        if not len(box):
            return {}
        return {label: _with(Places(box, sure[[label]]), told.get(label, _NOWHERE)) for label in labels}


def _with(first: Places, others: Places) -> Places:
    """One place, and those of the others that are not the same."""
    apart = overlaps(others.boxes, first.boxes)[:, 0] <= _SAME
    return Places(
        np.concatenate([first.boxes, others.boxes[apart]]), np.concatenate([first.confidences, others.confidences[apart]])
    )
