import numpy as np
import pytest

from gateway.engines.tagging.detector import CLASSES, Findings
from gateway.engines.tagging.sightings import put_together

CAT, DOG = 15, 16


def findings(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Findings:
    return Findings(
        np.array([box for _, _, box in rows], dtype=np.float64).reshape(-1, 4),
        np.array([kind for kind, _, _ in rows], dtype=np.intp),
        np.array([score for _, score, _ in rows], dtype=np.float64),
    )


def kinds(*which: int) -> np.ndarray:
    mask = np.zeros(CLASSES, dtype=bool)
    mask[list(which)] = True
    return mask


def test_what_two_looks_see_in_one_place_is_one_thing() -> None:
    first = findings((DOG, 0.9, (0, 0, 10, 10)), (DOG, 0.4, (50, 50, 60, 60)))
    second = findings((DOG, 0.3, (2, 0, 12, 10)))
    found = put_together([first, second], kinds(DOG))
    assert found.scores.tolist() == [[0.9, 0.3], [0.4, 0.0]]
    assert found.boxes[0] == pytest.approx([0.5, 0, 10.5, 10])  # three quarters of the way to the surer one


def test_kinds_that_are_not_wanted_do_not_count() -> None:
    looks = [findings((DOG, 0.9, (0, 0, 10, 10)), (CAT, 0.8, (0, 0, 10, 10))), findings()]
    assert put_together(looks, kinds(CAT)).scores.tolist() == [[0.8, 0.0]]


def test_of_a_broader_kind_a_dog_and_a_cat_in_one_place_are_one_animal() -> None:
    looks = [findings((DOG, 0.6, (0, 0, 10, 10)), (CAT, 0.9, (0, 0, 10, 10))), findings((DOG, 0.5, (0, 0, 10, 10)))]
    assert put_together(looks, kinds(CAT, DOG)).scores.tolist() == [[0.9, 0.5]]


def test_what_is_hardly_seen_is_left_out() -> None:
    looks = [findings((DOG, 0.19, (0, 0, 10, 10))), findings()]
    found = put_together(looks, kinds(DOG))
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0, 2))
