"""Fits what turns evidence into confidence: gateway/engines/data/scenes.npz and confidence.tsv.

Usage: python -m bench.engines.tagging.fit

Scene words are learned from the photographs of scenes.tsv (two packages that nothing is measured on) and the tuning half of
the labelled set. Confidence is fitted to the tuning half alone, for scene words with models that had not seen the picture.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.engines.tagging.logistic import fit
from bench.engines.tagging.photographs import content, implied, photographs, rows
from gateway.engines.picture import decoded
from gateway.engines.steps import never_cancelled
from gateway.engines.tagging import TaggingEngine
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.confidence import EVIDENCE, log_odds
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.observer import Evidence, Observer
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.vocabulary import Vocabulary, load_vocabulary

DATA = Path(__file__).parents[3] / "gateway" / "engines" / "data"

FOLDS = 8
SCENE_PENALTY = 0.1
CONFIDENCE_PENALTY = 1.0
LEAST_SHOWN = 4
"""Pictures that must show a word for it to be learned."""

MOST_PIXELS = 100_000_000

LAYOUT_WEIGHT = 0.5
"""How much the figures of layout count beside the classifier's scores, before anything is learned."""

LEAST_SHARE = {"class": 0.08, "concept": 0.15}
"""What is below is not fitted: it is nearly always wrong, and there is so much of it that it would rule the fit."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that was looked at. `shown` and `unsure`: English names; what is in neither is not shown.

    `tuning`: of the tuning half, so that `shown` speaks of things too and not of scene words alone.
    """

    evidence: Evidence
    shown: frozenset[str]
    unsure: frozenset[str]
    tuning: bool

    def tells(self, name: str) -> bool:
        return name not in self.unsure


@dataclass(frozen=True, slots=True)
class Scaling:
    """Makes the inputs of scene words comparable."""

    mean: Floats
    scale: Floats

    def __call__(self, raw: Floats) -> Floats:
        return (raw - self.mean) * self.scale


def inputs(examples: list[Example]) -> Floats:
    """N × (classifier's scores, figures of layout)."""
    return np.array([np.concatenate([one.evidence.logits.mean(axis=0), one.evidence.figures]) for one in examples])


def scaling(raw: Floats) -> Scaling:
    """Unit deviation, shared out so that all scores together, and all figures together, count for a fixed amount."""
    deviation = raw.std(axis=0)
    scores = 1.0 / (deviation[:CLASSES] + 0.1) / np.sqrt(CLASSES)
    figures = LAYOUT_WEIGHT / (deviation[CLASSES:] + 0.001) / np.sqrt(FIGURES)
    return Scaling(raw.mean(axis=0), np.concatenate([scores, figures]))


def scene_weights(scaled: Floats, examples: list[Example], words: list[str]) -> tuple[Floats, Floats]:
    """Weights (W × D) and intercepts (W) of the scene words. A word that hardly a picture shows is never said."""
    weights, bias = np.zeros((len(words), scaled.shape[1])), np.full(len(words), -8.0)
    for row, word in enumerate(words):
        told = np.array([one.tells(word) for one in examples])
        shown = np.array([word in one.shown for one in examples], dtype=np.float64)
        if shown[told].sum() >= LEAST_SHOWN:
            weights[row], bias[row] = fit(scaled[told], shown[told], penalty=SCENE_PENALTY)
    return weights, bias


def unseen_scene_odds(scaled: Floats, examples: list[Example], words: list[str]) -> Floats:
    """N × W: each picture by models that were fitted without it."""
    folds = np.random.default_rng(4).permutation(len(examples)) % FOLDS
    odds = np.zeros((len(examples), len(words)))
    for fold in range(FOLDS):
        rest = [one for one, its in zip(examples, folds, strict=True) if its != fold]
        weights, bias = scene_weights(scaled[folds != fold], rest, words)
        odds[folds == fold] = scaled[folds == fold] @ weights.T + bias
    return odds


Rows = list[tuple[dict[str, float], bool]]
"""Evidence for a tag, and whether it was right."""


def classifier_rows(reader: Reader, vocabulary: Vocabulary, examples: list[Example]) -> dict[str, Rows]:
    """Classes and concepts of weight in the tuning half."""
    rows: dict[str, Rows] = {"class": [], "concept": []}
    for one in examples:
        share = reader.shares(one.evidence)
        for source, labels in (("class", vocabulary.classes), ("concept", vocabulary.concepts)):
            for label in labels[share[labels] >= LEAST_SHARE[source]]:
                name = vocabulary.labels[label].name.en
                if one.tells(name):
                    rows[source].append(({"share": float(log_odds(share[label]))}, name in one.shown))
    return rows


def sighting_rows(reader: Reader, vocabulary: Vocabulary, examples: list[Example]) -> Rows:
    """The best sighting of each of the detectors' classes in each picture of the tuning half."""
    detected = set(vocabulary.detected.tolist())
    rows: Rows = []
    for one in examples:
        share = reader.shares(one.evidence)
        for label, found in reader.sightings(one.evidence):
            name = vocabulary.labels[label].name.en
            if label in detected and one.tells(name):
                best = int(found.scores.sum(axis=1).argmax())
                evidence = reader.for_sightings(label, share, found)
                row = {key: float(np.broadcast_to(values, len(found.boxes))[best]) for key, values in evidence.items()}
                rows.append((row, name in one.shown))
    return rows


def scene_rows(odds: Floats, examples: list[Example], words: list[str]) -> Rows:
    """All scene words in the tuning half, by models that had not seen the picture; those out of the question left out."""
    return [
        ({"scene": float(odds[row, column])}, word in one.shown)
        for row, one in enumerate(examples)
        for column, word in enumerate(words)
        if one.tuning and one.tells(word) and odds[row, column] > -3.0
    ]


def confidence_weights(rows: Rows) -> dict[str, float]:
    """Intercept and a weight for each kind of evidence, 0 for those that the rows do not have."""
    names = [name for name in EVIDENCE if name in rows[0][0]]
    evidence = np.array([[row[name] for name in names] for row, _ in rows])
    weights, intercept = fit(evidence, np.array([right for _, right in rows], dtype=np.float64), penalty=CONFIDENCE_PENALTY)
    return {"intercept": intercept} | dict.fromkeys(EVIDENCE, 0.0) | dict(zip(names, weights.tolist(), strict=True))


def write_scenes(path: Path, scale: Scaling, weights: Floats, bias: Floats) -> None:
    np.savez(
        path,
        mean=scale.mean.astype(np.float32),
        scale=scale.scale.astype(np.float32),
        weights=weights.astype(np.float16),
        bias=bias.astype(np.float32),
    )


def write_confidence(path: Path, table: dict[str, dict[str, float]]) -> None:
    lines = ["\t".join(["source", "intercept", *EVIDENCE])]
    lines += ["\t".join([source, *(f"{row[name]:.2f}" for name in ("intercept", *EVIDENCE))]) for source, row in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def examples(observer: Observer, vocabulary: Vocabulary) -> list[Example]:
    """All that is fitted to, looked at once."""

    def look(data: bytes) -> Evidence:
        pixels, _ = decoded(data, max_side=TaggingEngine.WORKING_SIDE, max_pixels=MOST_PIXELS)
        return observer.look(pixels, never_cancelled)

    found = [Example(look(one.data), one.shown, one.unsure, tuning=True) for one in photographs("tuning", vocabulary)]
    for row in rows("scenes.tsv"):
        shown, unsure = implied(row["shown"].split(), vocabulary), implied(row["unsure"].split(), vocabulary)
        found.append(Example(look(content(row["package"], row["path"])), shown, unsure - shown, tuning=False))
    return found


def main() -> None:
    vocabulary = load_vocabulary()
    reader = Reader(vocabulary)
    seen = examples(Observer(), vocabulary)
    words = [vocabulary.labels[label].name.en for label in vocabulary.scenes]
    raw = inputs(seen)
    scale = scaling(raw)
    weights, bias = scene_weights(scale(raw), seen, words)
    odds = unseen_scene_odds(scale(raw), seen, words)
    tuning = [one for one in seen if one.tuning]
    tables = classifier_rows(reader, vocabulary, tuning)
    tables |= {"sighting": sighting_rows(reader, vocabulary, tuning), "scene": scene_rows(odds, seen, words)}
    write_scenes(DATA / "scenes.npz", scale, weights, bias)
    write_confidence(DATA / "confidence.tsv", {source: confidence_weights(found) for source, found in tables.items()})


if __name__ == "__main__":
    main()
