"""Places of tags: how they are judged, and what their confidence is fitted to."""

from dataclasses import replace

import numpy as np
import pytest

from bench.engines.tagging.calibration import Calibration
from bench.engines.tagging.evaluate import Outcome, Truth, compare, places_right
from bench.engines.tagging.examples import Example
from gateway.engines.tagging.classifier import CELLS, CLASSES
from gateway.engines.tagging.detector import Findings
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.views import View
from gateway.engines.tagging.vocabulary import load_vocabulary
from gateway.media import Box, LocalizedText, Tag, TagInstance

DOG, BEE = 16, 309
SIDE = 100


def tag(name: str, confidence: float, *places: tuple[float, float]) -> Tag:
    """With places of 20 × 20 at the top, by their left side and confidence."""
    return Tag(
        name=name,
        confidence=confidence,
        type="object",
        localized_name=LocalizedText(en=name),
        instances=tuple(TagInstance(Box(left, 0, 20, 20), sure) for left, sure in places),
    )


def test_places_are_judged_by_the_boxes_of_their_name() -> None:
    truth = Truth(frozenset({"dog", "animal", "sky"}), ((frozenset({"dog", "animal"}), (0, 0, 0.2, 0.2)),))
    tags = [tag("dog", 90, (2, 80), (60, 50)), tag("sky", 90, (0, 70)), tag("cat", 80, (0, 60)), tag("animal", 59, (0, 40))]
    outcome = compare(tags, truth, SIDE, SIDE, threshold=60)
    # No sky was boxed, so nothing is known of its place; that of a cat that is not there is wrong.
    assert outcome.places == ((80, True), (50, False), (60, False))
    assert outcome.found == (80,)


def test_the_part_of_places_that_is_right_is_of_all_pictures_together() -> None:
    outcomes = [Outcome((), (), (), ((80, True), (50, False))), Outcome((), (), ()), Outcome((), (), (), ((95, True),))]
    part, told, sure = places_right(outcomes)
    assert (part, told, sure) == (pytest.approx(2 / 3), 3, 75)


def example(random: np.random.Generator) -> Example:
    """A picture with a dog at the left, and findings of three dogs side by side, the surest of them there."""
    lefts = np.array([0.0, 30.0, 60.0])
    boxes = np.column_stack([lefts, np.zeros(3), lefts + 20, np.full(3, 20.0)])
    scores = np.concatenate([[random.uniform(0.5, 0.9)], random.uniform(0.2, 0.4, 2)])
    found = Findings(boxes, np.full(3, DOG), scores)
    logits = np.zeros((1, CLASSES), dtype=np.float32)
    logits[0, BEE] = 20.0
    cells = np.zeros((1, CELLS, CELLS, CLASSES), dtype=np.float32)
    cells[:, 2:5, 2:5, BEE] = 5.0
    grey = np.full((112, 112, 3), 128, dtype=np.uint8)
    evidence = Evidence((SIDE, SIDE), (View(0, 0, SIDE, SIDE),), logits, cells, grey, np.zeros(FIGURES), (found, found))
    truth = Truth(frozenset({"dog", "animal"}), ((frozenset({"dog", "animal"}), (0, 0, 0.2, 0.2)),))
    return Example(evidence, truth, frozenset(), (SIDE, SIDE), tuning=True)


def test_the_fit_learns_from_boxes_which_places_are_right() -> None:
    vocabulary = load_vocabulary()
    reader = Reader(vocabulary)
    random = np.random.default_rng(0)
    pictures = [example(random) for _ in range(20)]
    rows = Calibration(vocabulary, reader)._places(pictures)
    assert len(rows) == 20 * 3 * 2  # each finding, as a dog and as an animal
    assert sum(right for _, right in rows) == 20 * 2
    assert all(right == (evidence["lead"] == 1.0) for evidence, right in rows)
    assert [evidence["size"] for evidence, _ in rows] == pytest.approx([np.log(0.04)] * len(rows))


def test_pictures_of_which_nothing_was_boxed_teach_nothing_about_places() -> None:
    vocabulary = load_vocabulary()
    one = example(np.random.default_rng(0))
    unboxed = Example(one.evidence, Truth(one.truth.names, ()), one.unsure, one.size, tuning=True)
    calibration = Calibration(vocabulary, Reader(vocabulary))
    assert calibration._places([unboxed]) == calibration._maps([unboxed]) == []


def test_the_fit_learns_how_often_the_classifiers_place_is_right() -> None:
    vocabulary = load_vocabulary()
    calibration = Calibration(vocabulary, Reader(vocabulary))
    one = example(np.random.default_rng(0))
    # The map is warm in the middle; the dog of `example` is at the left.
    there = Truth(one.truth.names, ((frozenset({"bee", "animal"}), (0.2, 0.2, 0.8, 0.8)),))
    assert calibration._maps([one, replace(one, truth=there)]) == [({}, False), ({}, True)]
