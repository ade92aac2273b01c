"""The measures of tagging on cases that can be counted by hand, its labelled photographs, and the fit."""

import numpy as np
import pytest

from bench.engines.tagging.evaluate import Outcome, Truth, compare, precision, reliability, right_within
from bench.engines.tagging.logistic import fit
from bench.engines.tagging.photographs import HALVES, implied, rows
from gateway.engines.tagging.vocabulary import load_vocabulary
from gateway.media import Box, LocalizedText, Tag, TagInstance


def tag(name: str, confidence: float, *boxes: tuple[float, float, float, float], sure: float = 90) -> Tag:
    return Tag(
        name=name,
        confidence=confidence,
        type="object",
        localized_name=LocalizedText(en=name),
        instances=tuple(TagInstance(Box(*box), sure) for box in boxes),
    )


def test_tags_are_right_if_they_are_among_the_names() -> None:
    outcome = compare([tag("dog", 90), tag("cat", 70)], Truth(frozenset({"dog"}), ()), 100, 100, threshold=60)
    assert (outcome.right, outcome.confidences) == ((True, False), (90, 70))
    assert outcome.at(80) == (True,)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (tag("dog", 90, (10, 20, 20, 40)), True),
        (tag("dog", 90, (0, 0, 5, 5), (10, 20, 20, 22)), True),  # the second; barely more than half of it
        (tag("dog", 90, (10, 20, 20, 19)), False),
        (tag("dog", 59, (10, 20, 20, 40)), False),
        (tag("dog", 90, (10, 20, 20, 40), sure=35), True),
        (tag("cat", 90, (10, 20, 20, 40)), False),
        (tag("dog", 90), False),
    ],
)
def test_a_thing_is_found_where_a_sure_tag_of_its_name_is(seen, found) -> None:
    truth = Truth(frozenset({"dog"}), ((frozenset({"dog", "animal"}), (0.1, 0.1, 0.3, 0.3)),))
    assert compare([seen], truth, width=100, height=200, threshold=60).found == ((seen.instances[0].confidence if found else 0),)


OUTCOMES = [
    Outcome((90, 80), (True, False), ()),
    Outcome((70, 65), (False, True), ()),
    Outcome((), (), ()),
]


def test_rank_and_precision() -> None:
    assert right_within(OUTCOMES, 1) == pytest.approx(1 / 3)
    assert right_within(OUTCOMES, 2) == pytest.approx(2 / 3)
    assert precision(OUTCOMES, 60) == (0.5, 4)
    assert precision(OUTCOMES, 75) == (0.5, 2)


def test_reliability_weighs_bins_by_their_tags() -> None:
    error, bins = reliability(OUTCOMES, (60, 75, 100))
    assert bins == [(60, 75, 2, 67.5, 50), (75, 100, 2, 85, 50)]
    assert error == pytest.approx((17.5 + 35) / 2)


def test_the_fit_finds_the_weights_that_made_the_outcomes() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(800, 2))
    chance = 1 / (1 + np.exp(-(inputs @ [2.0, -1.0] + 0.5)))
    weights, intercept = fit(inputs, (random.random(800) < chance).astype(float), penalty=0.1)
    assert weights == pytest.approx([2, -1], abs=0.3)
    assert intercept == pytest.approx(0.5, abs=0.3)


def test_a_penalty_holds_weights_back() -> None:
    inputs = np.array([[1.0], [-1.0]])
    loose, _ = fit(inputs, np.array([1.0, 0.0]), penalty=0.01)
    tight, _ = fit(inputs, np.array([1.0, 0.0]), penalty=10)
    assert 0 < tight[0] < loose[0]


def test_the_labelled_photographs_are_two_halves_without_a_common_picture() -> None:
    table = rows("photographs.tsv")
    places = [(row["package"], row["path"]) for row in table]
    assert len(table) >= 150
    assert len(set(places)) == len({row["sha256"] for row in table}) == len(table)
    counts = [sum(row["half"] == half for row in table) for half in HALVES]
    assert sum(counts) == len(table)
    assert abs(counts[0] - counts[1]) <= 2  # a few turned out to be painted, after they had been divided
    assert not {(row["package"], row["path"]) for row in rows("scenes.tsv")} & set(places)


def test_all_labels_are_names_that_a_tag_can_have() -> None:
    vocabulary = load_vocabulary()
    for row in rows("photographs.tsv"):
        for column in ("shown", "unsure"):
            implied([name for name in row[column].split("; ") if name], vocabulary)
    for row in rows("scenes.tsv"):
        implied(f"{row['shown']} {row['unsure']}".split(), vocabulary)
    assert implied(["German Shepherd"], vocabulary) == {"German Shepherd", "sheepdog", "dog", "animal"}
    with pytest.raises(SystemExit, match="no tag is called griffin"):
        implied(["griffin"], vocabulary)
