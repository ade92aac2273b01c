"""The arithmetic between made-up evidence and confidence, with weights of which the result can be told in the head."""

import numpy as np
import pytest

from gateway.engines.tagging import judge
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.confidence import EVIDENCE, Weights, percent
from gateway.engines.tagging.detector import Findings
from gateway.engines.tagging.judge import Judge
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
NAMES = {label.name.en: index for index, label in enumerate(VOCABULARY.labels)}
CAT, DOG, PERSON, SUITCASE = 15, 16, 0, 28

PLAIN = dict.fromkeys(("intercept", *EVIDENCE), 0.0)
WEIGHTS = Weights(
    {
        "class": PLAIN | {"share": 1.0},
        "concept": PLAIN | {"share": 1.0},
        "sighting": PLAIN | {"ssdlite": 1.0, "rival": -1.0, "person": 2.0},
        "scene": PLAIN | {"intercept": -40.0},
    }
)

NOTHING = Findings(np.zeros((0, 4)), np.zeros(0, dtype=np.intp), np.zeros(0))


@pytest.fixture
def weigh(monkeypatch):
    """Confidences by name, for shares of classes, the rest in equal parts, and for findings of the first detector."""
    monkeypatch.setattr(judge, "load_weights", lambda: WEIGHTS)
    fixed = Judge(VOCABULARY)

    def confidences(shares: dict[int, float], found: Findings = NOTHING):
        logits = np.log(np.full((1, CLASSES), (1 - sum(shares.values())) / (CLASSES - len(shares)), dtype=np.float32))
        logits[0, list(shares)] = np.log(list(shares.values()))
        odds, places = fixed.weigh(Evidence(logits, np.zeros(FIGURES), (found, NOTHING)))
        return {name: percent(odds)[index] for name, index in NAMES.items()}, places

    return confidences


def seen(*rows: tuple[int, float]) -> Findings:
    """Things side by side, each with its class and score."""
    boxes = np.array([(20 * row, 0, 20 * row + 10, 10) for row in range(len(rows))], dtype=np.float64)
    return Findings(boxes, np.array([kind for kind, _ in rows]), np.array([score for _, score in rows]))


def test_a_concept_is_as_sure_as_its_classes_together(weigh) -> None:
    tags, _ = weigh({281: 0.3, 282: 0.3, 285: 0.3})  # three kinds of cat
    assert tags["cat"] == pytest.approx(90, abs=0.1)
    assert tags["tabby cat"] == pytest.approx(30, abs=0.1)


def test_crumbs_are_no_evidence(weigh) -> None:
    tags, _ = weigh({967: 0.5})  # half espresso; four tenths of the other half are animals
    assert tags["drink"] == pytest.approx(50, abs=0.1)
    assert tags["animal"] < 1


def test_a_thing_makes_its_label_and_all_above_sure(weigh) -> None:
    tags, places = weigh({}, seen((DOG, 0.8)))
    assert tags["dog"] > 80
    assert tags["animal"] >= tags["dog"]
    assert places[NAMES["dog"]].boxes.tolist() == places[NAMES["animal"]].boxes.tolist() == [[0, 0, 10, 10]]
    assert NAMES["cat"] not in places


def test_a_thing_that_the_classifier_takes_for_something_else_is_less_sure(weigh) -> None:
    supported, _ = weigh({281: 0.6}, seen((CAT, 0.8)))
    contradicted, _ = weigh({373: 0.6}, seen((CAT, 0.8)))  # a monkey
    assert contradicted["cat"] < 75
    assert supported["cat"] > 95


def test_people_are_judged_by_a_rule_of_their_own(weigh) -> None:
    tags, _ = weigh({834: 0.6}, seen((PERSON, 0.5), (SUITCASE, 0.5)))  # a suit
    assert tags["person"] > tags["suitcase"] + 20


def test_each_thing_has_its_own_confidence_and_the_tag_that_of_the_best(weigh) -> None:
    tags, places = weigh({}, seen((DOG, 0.8), (DOG, 0.5)))
    confidences = percent(places[NAMES["dog"]].odds)
    assert confidences[0] == pytest.approx(tags["dog"])
    assert confidences[1] < confidences[0]


def test_a_poodle_is_where_the_dog_is(weigh) -> None:
    tags, places = weigh({265: 0.7}, seen((DOG, 0.8)))  # toy poodle
    dog, poodle = places[NAMES["dog"]], places[NAMES["Toy Poodle"]]
    assert poodle.boxes.tolist() == dog.boxes.tolist()
    assert percent(poodle.odds) == pytest.approx(percent(dog.odds) * tags["Toy Poodle"] / 100, abs=0.5)
    assert NAMES["seat"] not in places


def test_what_nothing_speaks_for_is_out_of_the_question(weigh) -> None:
    tags, _ = weigh({281: 0.9})
    assert tags["suitcase"] < 0.001
    assert tags["sky"] < 0.001
