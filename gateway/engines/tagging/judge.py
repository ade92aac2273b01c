"""Weighing the evidence: how sure each label is, and where its things are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.confidence import Odds, load_weights, log_odds, percent
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.scenes import SceneWords
from gateway.engines.tagging.sightings import Sightings
from gateway.engines.tagging.views import Boxes
from gateway.engines.tagging.vocabulary import Vocabulary

_NEVER: Final = -50.0
"""The log odds of what nothing speaks for."""

_LIKELY: Final = -1.0
"""The log odds from which it is worth saying where something is."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the things of one label are: N boxes in pixels of the picture, each with its log odds."""

    boxes: Boxes
    odds: Odds


class Judge:
    """Thread-safe, without state after construction."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Load the weights. Raises `ValueError` if a file does not fit the vocabulary."""
        self._vocabulary = vocabulary
        self._weights = load_weights()
        self._scenes = SceneWords(len(vocabulary.scenes))
        self._reader = Reader(vocabulary)

    def weigh(self, evidence: Evidence) -> tuple[Odds, dict[int, Places]]:
        """The log odds of each label, and the places of those of which things were found."""
        odds = np.full(len(self._vocabulary.labels), _NEVER)
        share = self._reader.shares(evidence)
        classes, concepts, scenes = self._vocabulary.classes, self._reader.concepts, self._vocabulary.scenes
        odds[concepts] = self._weights.odds("concept", share=log_odds(share[concepts]))
        odds[classes] = self._weights.odds("class", share=log_odds(share[classes]))
        words = self._scenes.odds(evidence.logits, evidence.figures)
        odds[scenes] = np.maximum(odds[scenes], self._weights.odds("scene", scene=words))
        places = {label: self._place(label, share, found) for label, found in self._reader.sightings(evidence)}
        for label, place in places.items():
            odds[label] = max(odds[label], place.odds.max())
        # What is true of a thing is as sure as the thing.
        for label, ancestors in enumerate(self._vocabulary.ancestors):
            for ancestor in ancestors:
                odds[ancestor] = max(odds[ancestor], odds[label])
        return odds, places | self._narrowed(odds, places)

    def _narrowed(self, odds: Odds, places: dict[int, Places]) -> dict[int, Places]:
        """Places for what is narrower than the detectors' kinds: of a picture with a dog that shows a poodle, the dog's. Each
        is as sure as that the dog is there and that it is a poodle."""
        narrowed: dict[int, Places] = {}
        for label in np.nonzero(odds >= _LIKELY)[0].tolist():
            above = next((ancestor for ancestor in self._vocabulary.ancestors[label] if ancestor in places), None)
            if label not in places and above is not None:
                both = percent(places[above].odds) * percent(odds[label]) / 10_000.0
                narrowed[label] = Places(places[above].boxes, log_odds(both))
        return narrowed

    def _place(self, label: int, share: npt.NDArray[np.float64], found: Sightings) -> Places:
        return Places(found.boxes, self._weights.odds("sighting", **self._reader.for_sightings(label, share, found)))
