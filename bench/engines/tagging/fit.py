"""Fits what turns evidence into confidence: gateway/engines/data/scenes.npz and confidence.tsv.

Usage: python -m bench.engines.tagging.fit

Scene words are learned from the photographs of scenes.tsv (two packages that nothing is measured on) and the tuning half of
the labelled set. Confidence is fitted to the tuning half alone, for scene words with models that had not seen the picture.

What is printed is how good that is on the tuning half itself, each picture judged by weights that were fitted without it. It
is there to choose by: the measuring half is not looked at here.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.engines.tagging import scene_fit
from bench.engines.tagging.calibration import Calibration, Table
from bench.engines.tagging.evaluate import Outcome, compare, places_right, precision, reliability, right_within
from bench.engines.tagging.examples import Example, examples
from gateway.engines.tagging.confidence import EVIDENCE, Weights
from gateway.engines.tagging.judge import Judge
from gateway.engines.tagging.observer import Observer
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.scenes import SceneWords
from gateway.engines.tagging.tags import named
from gateway.engines.tagging.vocabulary import Vocabulary, load_vocabulary
from gateway.media import Language, TaggingParameters

DATA = Path(__file__).parents[3] / "gateway" / "engines" / "data"

FOLDS = 8
THRESHOLD = TaggingParameters().threshold
EVERYTHING = TaggingParameters(language=Language.EN, threshold=1, limit=150)
EDGES = (10.0, 20.0, 40.0, 60.0, 80.0, 90.0, 100.0)

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def outcome(judge: Judge, vocabulary: Vocabulary, one: Example) -> Outcome:
    """What the judge makes of a picture, against the truth."""
    tags = named(vocabulary, *judge.weigh(one.evidence), EVERYTHING)
    return compare([tag for tag in tags if one.tells(tag.localized_name.en)], one.truth, *one.size, threshold=THRESHOLD)


def unseen_outcomes(
    calibration: Calibration, tuning: Sequence[Example], odds: Floats, folds: Indices, models: Sequence[SceneWords]
) -> list[Outcome]:
    """Of each picture by weights that were fitted without it. `folds`: of each picture; `models`: without each fold."""
    outcomes = []
    for fold, words in enumerate(models):
        rest = np.flatnonzero(folds != fold).tolist()
        weights = Weights(calibration.table([tuning[index] for index in rest], odds[rest]))
        judge = Judge(calibration.vocabulary, weights, words)
        outcomes += [outcome(judge, calibration.vocabulary, tuning[index]) for index in np.flatnonzero(folds == fold).tolist()]
    return outcomes


def report(outcomes: Sequence[Outcome]) -> str:
    found = np.array([value for one in outcomes for value in one.found])
    exact, said = precision(outcomes, THRESHOLD)
    there, told, sure = places_right(outcomes)
    lines = {
        "a right tag at rank 1": f"{right_within(outcomes, 1):.1%} of {len(outcomes)}",
        "a right tag in the top 5": f"{right_within(outcomes, 5):.1%}",
        f"right, of the tags from {THRESHOLD:g} on": f"{exact:.1%} of {said}",
        "expected calibration error of tags, points": f"{reliability(outcomes, EDGES)[0]:.1f}",
        "things of which the box is told": f"{np.mean(found > 0):.1%} of {len(found)}",
        f"... with a place from {THRESHOLD:g} on": f"{np.mean(found >= THRESHOLD):.1%}",
        "right, of the places that are told": f"{there:.1%} of {told}",
        "... their mean confidence": f"{sure:.1f}",
    }
    return "\n".join(f"{what}: {measured}" for what, measured in lines.items())


def write_scenes(path: Path, models: SceneWords) -> None:
    np.savez(
        path,
        mean=models.mean.astype(np.float32),
        scale=models.scale.astype(np.float32),
        weights=models.weights.astype(np.float16),
        bias=models.bias.astype(np.float32),
    )


def write_confidence(path: Path, table: Table) -> None:
    lines = ["\t".join(["source", "intercept", *EVIDENCE])]
    lines += ["\t".join([source, *(f"{row[name]:.2f}" for name in ("intercept", *EVIDENCE))]) for source, row in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    vocabulary = load_vocabulary()
    calibration = Calibration(vocabulary, Reader(vocabulary))
    seen = examples(Observer(), vocabulary)
    words = [vocabulary.labels[label].name.en for label in vocabulary.scenes]
    plain = scene_fit.unfitted(seen, words)
    folds = np.random.default_rng(4).permutation(len(seen)) % FOLDS
    models = [
        scene_fit.fitted(plain, [one for one, its in zip(seen, folds, strict=True) if its != fold], words)
        for fold in range(FOLDS)
    ]
    tuning = [one for one in seen if one.tuning]
    its = folds[: len(tuning)]
    odds = np.array([models[fold].odds(one.evidence.logits, one.evidence.figures) for one, fold in zip(tuning, its, strict=True)])
    print(report(unseen_outcomes(calibration, tuning, odds, its, models)))
    write_scenes(DATA / "scenes.npz", scene_fit.fitted(plain, seen, words))
    write_confidence(DATA / "confidence.tsv", calibration.table(tuning, odds))


if __name__ == "__main__":
    main()
