import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engines.tagging.boxes import areas, clusters, overlaps

sides = st.floats(0, 100)
boxes = st.lists(st.tuples(sides, sides, sides, sides), max_size=8).map(
    lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], dtype=np.float64).reshape(-1, 4)
)


def test_overlaps_of_known_boxes() -> None:
    first = np.array([[0.0, 0, 10, 10]])
    others = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [20, 20, 30, 30], [2, 2, 4, 4], [3, 3, 3, 3]])
    assert overlaps(first, others)[0] == pytest.approx([1, 1 / 3, 0, 0, 0.04, 0])


@given(boxes, boxes)
def test_overlaps_are_parts_and_the_same_both_ways(first, second) -> None:
    common = overlaps(first, second)
    assert common.shape == (len(first), len(second))
    assert ((common >= 0) & (common <= 1 + 1e-9)).all()
    assert np.allclose(common, overlaps(second, first).T)


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert areas(np.array([[0.0, 0, 2, 3], [5, 5, 1, 1]])).tolist() == [6, 0]


@given(boxes, st.randoms())
def test_clusters_share_out_all_boxes_with_the_best_first(found, random) -> None:
    scores = np.array([random.random() for _ in found])
    groups = clusters(found, scores, 0.5)
    assert sorted(index for group in groups for index in group) == list(range(len(found)))
    leaders = [scores[group[0]] for group in groups]
    assert leaders == sorted(leaders, reverse=True)
    for group in groups:
        assert scores[group[0]] == max(scores[group])
        assert (overlaps(found[group[:1]], found[group[1:]]) > 0.5).all()
    heads = np.array([group[0] for group in groups], dtype=int)
    apart = overlaps(found[heads], found[heads])
    assert (apart[~np.eye(len(heads), dtype=bool)] <= 0.5).all()
