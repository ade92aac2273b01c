"""Reading the evidence by label: what the classifier gives each, and which things the detectors saw of it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.boxes import areas
from gateway.engines.tagging.classifier import shares
from gateway.engines.tagging.confidence import Odds, log_odds
from gateway.engines.tagging.detector import LEAST_SCORE
from gateway.engines.tagging.maps import extent, heat
from gateway.engines.tagging.observer import LOOKS, Evidence
from gateway.engines.tagging.sightings import LEAST_MEAN, Sightings, put_together
from gateway.engines.tagging.views import Boxes
from gateway.engines.tagging.vocabulary import Vocabulary

_LEAST_EVIDENCE: Final = 0.01
"""Share under which a class counts for nothing in a concept: ten times what a guess among 1000 would give it. Four classes
in ten are animals, and the crumbs of all of them would make every unclear picture one."""


_UNTOLD: Final = LEAST_SCORE / 2
"""The score that a thing counts with for a detector that does not tell it, which only says that it is below the least told."""

_LEAST_AREA: Final = 0.003
"""Part of the picture that a smaller thing is taken to cover."""


class Reader:
    """Thread-safe, without state after construction."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._membership = vocabulary.membership()
        self._supports = _supports(vocabulary, self._membership)
        self._kinds = _kinds(vocabulary)
        # Some concepts are only there to stand above scene words.
        self.concepts = vocabulary.concepts[self._membership[vocabulary.concepts].sum(axis=1) > 0]
        """The concepts that the classifier has classes of."""
        (self._animal,) = (index for index, label in enumerate(vocabulary.labels) if label.name.en == "animal")
        self.animals = np.array([self._animal in (index, *above) for index, above in enumerate(vocabulary.ancestors)])
        """For each label, whether it is an animal."""

    def shares(self, evidence: Evidence) -> npt.NDArray[np.float64]:
        """What each label has of one, by the classifier: classes by themselves, concepts by all their classes of weight."""
        mean = shares(evidence.logits).mean(axis=0)
        heavy = np.flatnonzero(mean >= _LEAST_EVIDENCE)
        result = self._membership[:, heavy] @ mean[heavy]
        result[self._vocabulary.classes] = mean
        # Sums of rounded shares can end a hair above one.
        limited: npt.NDArray[np.float64] = np.minimum(result, 1.0)
        return limited

    def sightings(self, evidence: Evidence) -> dict[int, Sightings]:
        """By label the things that were found of it."""
        best = np.zeros((len(evidence.findings), len(self._vocabulary.detected)))
        for row, look in zip(best, evidence.findings, strict=True):
            np.maximum.at(row, look.classes, look.scores)
        # Most kinds are hardly seen anywhere, and need no matching to know.
        candidates = [(label, kinds) for label, kinds in self._kinds.items() if best[:, kinds].max(axis=1).mean() >= LEAST_MEAN]
        matched = {label: put_together(evidence.findings, kinds) for label, kinds in candidates}
        return {label: found for label, found in matched.items() if len(found.boxes)}

    def among(self, label: int, sightings: dict[int, Sightings]) -> Sightings | None:
        """The things among which those of a label are: its own or, where none were found or the detectors have no such kind,
        those of the nearest concept above it. A poodle is one of the dogs, or of the animals if none of them was called a dog.
        """
        return next((sightings[above] for above in (label, *self._vocabulary.ancestors[label]) if above in sightings), None)

    def mapped(self, share: npt.NDArray[np.float64], evidence: Evidence) -> Boxes:
        """The place of the animal that the classifier sees, 1 × 4, or 0 × 4 if it sees none. `share`: of each label."""
        weights = share[self._vocabulary.classes] * self._membership[self._animal]
        weights[weights < _LEAST_EVIDENCE] = 0.0
        warm = heat(evidence.cells @ weights.astype(np.float32), evidence.views, evidence.size)
        return extent(warm, evidence.colours, evidence.size)

    def for_sightings(self, label: int, share: npt.NDArray[np.float64], found: Sightings) -> dict[str, Odds | float]:
        """What speaks for and against things of one label, by the names of `confidence.EVIDENCE`.

        The classifier's share of the label or, where it has no class for it, of the nearest concept above; its largest share
        of anything else; the detectors' scores; and whether it is a person, of which the classifier knows next to nothing.
        """
        support = self._supports[label]
        others = share[self._vocabulary.classes] * (1.0 - self._membership[support])
        return _looks(found) | {
            "share": float(log_odds(share[support])),
            "rival": float(log_odds(others.max())),
            "person": float(label == self._vocabulary.detected[0]),
        }

    def for_places(self, found: Sightings, size: tuple[int, int]) -> dict[str, Odds | float]:
        """What speaks for each of N things being one of a label that the picture does show, by the names of
        `confidence.EVIDENCE`: the detectors' scores, how they compare to those of the surest of them, and the logarithm of the
        part of the picture that it covers. `size`: width and height of the picture."""
        strength = found.scores.sum(axis=1)
        covers = areas(found.boxes) / (size[0] * size[1])
        return _looks(found) | {
            "lead": strength / strength.max(),
            "size": np.log(np.clip(covers, _LEAST_AREA, 1.0)),
        }


def _looks(found: Sightings) -> dict[str, Odds | float]:
    return dict(zip(LOOKS, log_odds(np.maximum(found.scores, _UNTOLD)).T, strict=True))


def _supports(vocabulary: Vocabulary, membership: npt.NDArray[np.float64]) -> list[int]:
    """For each label the nearest one, itself or above it, that the classifier has classes of; itself if there is none."""
    known = membership.sum(axis=1) > 0
    return [
        next((candidate for candidate in (label, *above) if known[candidate]), label)
        for label, above in enumerate(vocabulary.ancestors)
    ]


def _kinds(vocabulary: Vocabulary) -> dict[int, npt.NDArray[np.bool_]]:
    """For each label that the detectors' classes fall under, which of them do."""
    kinds: dict[int, npt.NDArray[np.bool_]] = {}
    for kind, detected in enumerate(vocabulary.detected):
        for label in (int(detected), *vocabulary.ancestors[detected]):
            kinds.setdefault(label, np.zeros(len(vocabulary.detected), dtype=np.bool_))[kind] = True
    return kinds
