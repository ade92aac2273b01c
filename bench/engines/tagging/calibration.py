"""Fits how sure evidence makes a tag or a place, to what is labelled in the tuning half."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.engines.tagging.evaluate import SAME
from bench.engines.tagging.examples import Example
from bench.engines.tagging.logistic import fit
from gateway.engines.tagging.boxes import overlaps
from gateway.engines.tagging.confidence import EVIDENCE, log_odds
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.vocabulary import Vocabulary

PENALTY = 1.0

LEAST_SHARE = {"class": 0.08, "concept": 0.15}
"""What is below is not fitted: it is nearly always wrong, and there is so much of it that it would rule the fit."""

LEAST_ODDS = -3.0
"""Scene words below are out of the question, and not fitted for the same reason."""

Rows = list[tuple[dict[str, float], bool]]
"""Evidence for a tag or a place, and whether it was right."""

Table = dict[str, dict[str, float]]
"""For each source of evidence the intercept, and a weight for each kind of evidence."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Finds the evidence in examples of the tuning half, and fits to it."""

    vocabulary: Vocabulary
    reader: Reader

    def table(self, examples: Sequence[Example], scene_odds: npt.NDArray[np.float64]) -> Table:
        """`scene_odds`: N × words, by models that had not seen the picture."""
        sources = {
            "class": self._shares("class", self.vocabulary.classes, examples),
            "concept": self._shares("concept", self.vocabulary.concepts, examples),
            "sighting": self._sightings(examples),
            "scene": self._scenes(examples, scene_odds),
            "place": self._places(examples),
            "map": self._maps(examples),
        }
        return {source: _weights(rows) for source, rows in sources.items()}

    def _name(self, label: int) -> str:
        return self.vocabulary.labels[label].name.en

    def _shares(self, source: str, labels: npt.NDArray[np.intp], examples: Sequence[Example]) -> Rows:
        """The classes or the concepts of weight."""
        rows: Rows = []
        for one in examples:
            share = self.reader.shares(one.evidence)
            for label in labels[share[labels] >= LEAST_SHARE[source]]:
                if one.tells(self._name(label)):
                    rows.append(({"share": float(log_odds(share[label]))}, one.shows(self._name(label))))
        return rows

    def _sightings(self, examples: Sequence[Example]) -> Rows:
        """The best sighting of each of the detectors' classes in each picture."""
        detected = set(self.vocabulary.detected.tolist())
        rows: Rows = []
        for one in examples:
            share = self.reader.shares(one.evidence)
            for label, found in self.reader.sightings(one.evidence).items():
                if label in detected and one.tells(self._name(label)):
                    evidence = self.reader.for_sightings(label, share, found)
                    best = int(found.scores.sum(axis=1).argmax())
                    row = {key: float(np.broadcast_to(values, len(found.boxes))[best]) for key, values in evidence.items()}
                    rows.append((row, one.shows(self._name(label))))
        return rows

    def _scenes(self, examples: Sequence[Example], odds: npt.NDArray[np.float64]) -> Rows:
        """All scene words but those out of the question."""
        words = [self._name(label) for label in self.vocabulary.scenes]
        return [
            ({"scene": float(value)}, one.shows(word))
            for one, values in zip(examples, odds, strict=True)
            for word, value in zip(words, values, strict=True)
            if one.tells(word) and value > LEAST_ODDS
        ]

    def _places(self, examples: Sequence[Example]) -> Rows:
        """For each name of something that was boxed, all places it could have: right where one of these boxes is."""
        rows: Rows = []
        for one in examples:
            boxed = frozenset[str]().union(*(names for names, _ in one.truth.things))
            sightings = self.reader.sightings(one.evidence)
            for label in (label for label in range(len(self.vocabulary.labels)) if self._name(label) in boxed):
                if (found := self.reader.among(label, sightings)) is None:
                    continue
                wanted = np.array([box for names, box in one.truth.things if self._name(label) in names]) * (one.size * 2)
                right = overlaps(found.boxes, wanted).max(axis=1) >= SAME
                evidence = self.reader.for_places(found, one.evidence.size)
                columns = [np.asarray(values).tolist() for values in evidence.values()]
                rows += [
                    (dict(zip(evidence, row, strict=True)), bool(fits))
                    for *row, fits in zip(*columns, right.tolist(), strict=True)
                ]
        return rows

    def _maps(self, examples: Sequence[Example]) -> Rows:
        """The classifier's place in each picture of which animals were boxed, whether or not the detectors have one to tell:
        pictures of which they have none are too few to learn from."""
        rows: Rows = []
        for one in examples:
            boxed = [box for names, box in one.truth.things if "animal" in names]
            found = self.reader.mapped(self.reader.shares(one.evidence), one.evidence)
            if boxed and len(found):
                rows.append(({}, bool((overlaps(found, np.array(boxed) * (one.size * 2)) >= SAME).any())))
        return rows


def _weights(rows: Rows) -> dict[str, float]:
    """Intercept and a weight for each kind of evidence, 0 for those that the rows do not have."""
    names = [name for name in EVIDENCE if name in rows[0][0]]
    evidence = np.array([[row[name] for name in names] for row, _ in rows])
    weights, intercept = fit(evidence, np.array([right for _, right in rows], dtype=np.float64), penalty=PENALTY)
    return {"intercept": intercept} | dict.fromkeys(EVIDENCE, 0.0) | dict(zip(names, weights.tolist(), strict=True))
