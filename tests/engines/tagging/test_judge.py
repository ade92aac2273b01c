"""The arithmetic between made-up evidence and confidence, with weights of which the result can be told in the head."""

import numpy as np
import pytest

from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.confidence import EVIDENCE, Weights, log_odds, percent
from gateway.engines.tagging.detector import LEAST_SCORE, Findings
from gateway.engines.tagging.judge import LEAST_PLACE, Judge
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.scenes import SceneWords
from gateway.engines.tagging.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
NAMES = {label.name.en: index for index, label in enumerate(VOCABULARY.labels)}
CAT, DOG, SHEEP, PERSON, SUITCASE = 15, 16, 18, 0, 28

PLAIN = dict.fromkeys(("intercept", *EVIDENCE), 0.0)
WEIGHTS = Weights(
    {
        "class": PLAIN | {"share": 1.0},
        "concept": PLAIN | {"share": 1.0},
        "sighting": PLAIN | {"ssdlite": 1.0, "rival": -1.0, "person": 2.0},
        "scene": PLAIN | {"intercept": -40.0},
        "place": PLAIN | {"intercept": 1.0, "ssdlite": 1.0, "lead": 2.0, "size": 1.0},
    }
)

SIZE = CLASSES + FIGURES
WORDLESS = SceneWords(np.zeros(SIZE), np.ones(SIZE), np.zeros((len(VOCABULARY.scenes), SIZE)), np.zeros(len(VOCABULARY.scenes)))

AREA = 1000
"""Of the picture; a thing covers a tenth."""

NOTHING = Findings(np.zeros((0, 4)), np.zeros(0, dtype=np.intp), np.zeros(0))


@pytest.fixture
def weigh():
    """Confidences by name, for shares of classes, the rest in equal parts, and for findings of the detectors."""
    fixed = Judge(VOCABULARY, WEIGHTS, WORDLESS)

    def confidences(shares: dict[int, float], found: Findings = NOTHING, other: Findings = NOTHING):
        logits = np.log(np.full((1, CLASSES), (1 - sum(shares.values())) / (CLASSES - len(shares)), dtype=np.float32))
        logits[0, list(shares)] = np.log(list(shares.values()))
        odds, places = fixed.weigh(Evidence(logits, np.zeros(FIGURES), (found, other), AREA))
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


def there(score: float, *, lead: float, part: float = 0.1) -> float:
    """How sure a place is by `WEIGHTS`, if the tag is right."""
    return float(percent(1.0 + log_odds(score) + 2.0 * lead + np.log(part)))


def test_a_place_is_as_sure_as_the_tag_and_that_the_thing_is_there(weigh) -> None:
    tags, places = weigh({}, seen((DOG, 0.7), (DOG, 0.8)))
    dogs = places[NAMES["dog"]]
    assert dogs.boxes.tolist() == [[20, 0, 30, 10], [0, 0, 10, 10]]  # the surest first
    assert dogs.confidences == pytest.approx(
        [tags["dog"] * there(0.8, lead=1) / 100, tags["dog"] * there(0.7, lead=0.7 / 0.8) / 100]
    )


def test_what_the_picture_surely_shows_may_be_where_a_detector_hardly_sees_it(weigh) -> None:
    unsure, nowhere = weigh({373: 0.7}, seen((DOG, 0.3)))  # a monkey
    assert unsure["dog"] < LEAST_PLACE
    assert NAMES["dog"] not in nowhere
    sure, places = weigh({265: 0.9}, seen((DOG, 0.3)))  # toy poodle
    assert places[NAMES["dog"]].confidences == pytest.approx([sure["dog"] * there(0.3, lead=1) / 100])


def test_a_place_is_left_out_if_it_is_less_sure_than_what_is_told(weigh) -> None:
    shares = {265: 0.9}
    assert there(0.24, lead=0.3) < LEAST_PLACE < there(0.24, lead=1)
    _, places = weigh(shares, seen((DOG, 0.8), (DOG, 0.24)))
    assert places[NAMES["dog"]].boxes.tolist() == [[0, 0, 10, 10]]
    _, alone = weigh(shares, seen((DOG, 0.24)))
    assert len(alone[NAMES["dog"]].boxes) == 1


def test_a_poodle_is_where_the_dog_is(weigh) -> None:
    tags, places = weigh({265: 0.7}, seen((DOG, 0.8)))
    dog, poodle = places[NAMES["dog"]], places[NAMES["Toy Poodle"]]
    assert poodle.boxes.tolist() == dog.boxes.tolist()
    assert poodle.confidences / dog.confidences == pytest.approx([tags["Toy Poodle"] / tags["dog"]])
    assert NAMES["seat"] not in places


def test_a_poodle_is_where_an_animal_is_that_no_detector_calls_a_dog(weigh) -> None:
    _, places = weigh({265: 0.9}, seen((SHEEP, 0.5), (SUITCASE, 0.9)))
    assert places[NAMES["Toy Poodle"]].boxes.tolist() == places[NAMES["dog"]].boxes.tolist() == [[0, 0, 10, 10]]
    assert NAMES["sheep"] not in places


def test_a_look_that_tells_nothing_counts_as_one_that_hardly_sees_the_thing(weigh) -> None:
    tags, _ = weigh({}, NOTHING, seen((DOG, 0.8)))
    reference, _ = weigh({}, seen((DOG, LEAST_SCORE / 2)), seen((DOG, 0.8)))
    assert tags["dog"] == pytest.approx(reference["dog"])
    told, _ = weigh({}, seen((DOG, LEAST_SCORE)), seen((DOG, 0.8)))
    assert tags["dog"] < told["dog"]


def test_what_nothing_speaks_for_is_out_of_the_question(weigh) -> None:
    tags, _ = weigh({281: 0.9})
    assert tags["suitcase"] < 0.001
    assert tags["sky"] < 0.001
