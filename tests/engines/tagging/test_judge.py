"""The arithmetic between made-up evidence and confidence, with weights of which the result can be told in the head."""

import numpy as np
import pytest

from gateway.engines.tagging.classifier import CELLS, CLASSES
from gateway.engines.tagging.confidence import EVIDENCE, Weights, log_odds, percent
from gateway.engines.tagging.detector import LEAST_SCORE, Findings
from gateway.engines.tagging.judge import LEAST_PLACE, Judge
from gateway.engines.tagging.layout import FIGURES
from gateway.engines.tagging.observer import Evidence
from gateway.engines.tagging.scenes import SceneWords
from gateway.engines.tagging.views import View
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
        "map": PLAIN,
    }
)

SIZE = CLASSES + FIGURES
WORDLESS = SceneWords(np.zeros(SIZE), np.ones(SIZE), np.zeros((len(VOCABULARY.scenes), SIZE)), np.zeros(len(VOCABULARY.scenes)))

SIZE_OF_PICTURE = (100, 10)
"""A thing covers a tenth."""

NOWHERE = np.zeros((1, CELLS, CELLS, CLASSES), dtype=np.float32)
"""A map on which nothing is."""

NOTHING = Findings(np.zeros((0, 4)), np.zeros(0, dtype=np.intp), np.zeros(0))


@pytest.fixture
def weigh():
    """Confidences by name, for shares of classes, the rest in equal parts, and for findings of the detectors."""
    fixed = Judge(VOCABULARY, WEIGHTS, WORDLESS)

    def confidences(shares: dict[int, float], found: Findings = NOTHING, other: Findings = NOTHING, cells=NOWHERE):
        logits = np.log(np.full((1, CLASSES), (1 - sum(shares.values())) / (CLASSES - len(shares)), dtype=np.float32))
        logits[0, list(shares)] = np.log(list(shares.values()))
        view = View(0, 0, *SIZE_OF_PICTURE)
        grey = np.full((12, 112, 3), 128, dtype=np.uint8)
        evidence = Evidence(SIZE_OF_PICTURE, (view,), logits, cells, grey, np.zeros(FIGURES), (found, other))
        odds, places = fixed.weigh(evidence)
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


BEE, LADYBUG, CLOCK = 309, 301, 409


def at_the_left(kind: int) -> np.ndarray:
    """A map of one class in the first columns."""
    cells = NOWHERE.copy()
    cells[:, :, :2, kind] = 5.0
    return cells


def test_an_animal_that_no_detector_sees_is_where_the_classifier_sees_it(weigh) -> None:
    tags, places = weigh({BEE: 0.9}, cells=at_the_left(BEE))
    for name in ("bee", "insect", "animal"):
        ((left, top, right, bottom),) = places[NAMES[name]].boxes.tolist()
        assert (left, top, bottom) == (0, 0, 10)
        assert right == pytest.approx(200 / 7, abs=100 / 7)
        assert places[NAMES[name]].confidences == pytest.approx([tags[name] / 2])  # even odds, by `WEIGHTS`
    assert NAMES["spider"] not in places


def test_only_animals_are_where_the_classifier_sees_them(weigh) -> None:
    _, places = weigh({CLOCK: 0.9}, cells=at_the_left(CLOCK))
    assert places == {}


def test_the_classifier_sees_an_animal_where_any_of_its_classes_of_weight_is(weigh) -> None:
    _, other = weigh({BEE: 0.5, LADYBUG: 0.4}, cells=at_the_left(LADYBUG))
    assert other[NAMES["insect"]].boxes[0, 2] < 50
    _, crumbs = weigh({BEE: 0.9}, cells=at_the_left(LADYBUG))
    assert crumbs == {}


def test_a_surer_place_of_a_detector_is_told_alone_and_a_less_sure_one_after_the_classifiers(weigh) -> None:
    _, alone = weigh({265: 0.9}, seen((SUITCASE, 0.1), (SUITCASE, 0.1), (DOG, 0.9)), cells=at_the_left(265))
    assert there(0.9, lead=1) > 50
    assert alone[NAMES["dog"]].boxes.tolist() == [[40, 0, 50, 10]]
    assert there(0.3, lead=1) < 50
    tags, both = weigh({265: 0.9}, seen((SUITCASE, 0.1), (SUITCASE, 0.1), (DOG, 0.3)), cells=at_the_left(265))
    dogs = both[NAMES["dog"]]
    assert dogs.boxes[1].tolist() == [40, 0, 50, 10]
    assert dogs.boxes[0, 2] < 50
    assert dogs.confidences == pytest.approx([tags["dog"] / 2, tags["dog"] * there(0.3, lead=1) / 100])


def test_what_both_see_in_one_place_is_told_once_where_the_surer_sees_it(weigh) -> None:
    dog = Findings(np.array([[0.0, 0.0, 20.0, 10.0]]), np.array([DOG]), np.array([0.15]))
    assert LEAST_PLACE < there(0.15, lead=1, part=0.2) < 50
    _, without = weigh({265: 0.95}, dog, dog)
    assert without[NAMES["dog"]].boxes.tolist() == [[0, 0, 20, 10]]
    _, places = weigh({265: 0.95}, dog, dog, cells=at_the_left(265))
    assert places[NAMES["dog"]].boxes.shape == (1, 4)
    assert 20 < places[NAMES["dog"]].boxes[0, 2] < 40
