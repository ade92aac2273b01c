import numpy as np
import pytest

from gateway.engines.tagging.views import View, ends, whole


def ramp(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[..., 0] = np.linspace(0, 255, width)
    picture[..., 1] = np.linspace(0, 255, height)[:, np.newaxis]
    return picture


@pytest.mark.parametrize(("height", "width"), [(480, 640), (15, 640), (640, 15), (1, 1), (300, 300)])
def test_a_view_has_the_side_that_was_asked_for(height, width) -> None:
    square = whole(ramp(height, width)).pixels(ramp(height, width), 224)
    assert (square.shape, square.dtype) == ((224, 224, 3), np.uint8)
    assert square.flags.c_contiguous


def test_a_part_is_what_lies_there() -> None:
    picture = ramp(60, 80)
    assert np.array_equal(View(40, 20, 30, 30).pixels(picture, 30), picture[20:50, 40:70])


def test_boxes_come_back_to_where_the_thing_is() -> None:
    part = View(left=100, top=50, width=200, height=80)
    assert part.in_picture(np.array([[0.0, 0.25, 0.5, 1.0]])).tolist() == [[100, 70, 200, 130]]


def test_boxes_do_not_reach_out_of_the_view() -> None:
    assert View(0, 0, 10, 20).in_picture(np.array([[-0.5, -1.0, 1.5, 2.0]])).tolist() == [[0, 0, 10, 20]]


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (100, 300, (View(0, 0, 100, 100), View(200, 0, 100, 100))),
        (300, 100, (View(0, 0, 100, 100), View(0, 200, 100, 100))),
        (100, 105, ()),
    ],
)
def test_the_squares_at_the_ends(height, width, expected) -> None:
    assert ends(ramp(height, width)) == expected
