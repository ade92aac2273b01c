from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.outlines import Area, arranged

BOUNDS = (400, 300)
PANEL = (0, 200, 150, 300)
side = st.integers(0, 400)
areas = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), side, st.integers(0, 300), side, st.integers(0, 300))
sizes = st.tuples(st.integers(1, 450), st.integers(1, 60))


def share(one: Area, other: Area) -> bool:
    return bool(set(range(one[0], one[2])) & set(range(other[0], other[2]))) and bool(
        set(range(one[1], one[3])) & set(range(other[1], other[3]))
    )


@given(st.lists(st.tuples(areas, sizes), max_size=8))
def test_labels_are_inside_the_picture_and_apart(labels) -> None:
    spots = arranged(labels, BOUNDS, PANEL)
    assert len(spots) == len(labels)
    placed = [spot for spot in spots if spot is not None]
    for number, (left, top, right, bottom) in enumerate(placed):
        assert 0 <= left <= right <= BOUNDS[0]
        assert 0 <= top <= bottom <= BOUNDS[1]
        assert not any(share((left, top, right, bottom), other) for other in [PANEL, *placed[:number]])
    for (_, size), spot in zip(labels, spots, strict=True):
        assert spot is None or (spot[2] - spot[0], spot[3] - spot[1]) == size


def test_a_label_stands_on_its_rectangle_or_else_at_the_next_best_edge() -> None:
    high, low, size = (200, 100, 300, 150), (200, 0, 300, 50), (40, 20)
    assert arranged([(high, size)], BOUNDS, PANEL) == ((200, 80, 240, 100),)
    assert arranged([(low, size)], BOUNDS, PANEL) == ((200, 0, 240, 20),)
    assert arranged([(high, size)] * 3, BOUNDS, PANEL) == ((200, 80, 240, 100), (260, 80, 300, 100), (200, 100, 240, 120))
    assert arranged([((390, 100, 400, 150), size)], BOUNDS, PANEL) == ((360, 80, 400, 100),)


def test_a_label_without_room_is_left_out_and_the_others_stay() -> None:
    broad, narrow = ((200, 100, 300, 150), (401, 20)), ((200, 100, 300, 150), (40, 20))
    hidden = ((20, 230, 60, 270), (40, 20))
    assert arranged([broad, hidden, narrow], BOUNDS, PANEL) == (None, None, (200, 80, 240, 100))
