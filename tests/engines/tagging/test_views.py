import numpy as np
import pytest

from gateway.engines.tagging.views import View, squares, whole


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
        (100, 150, (View(0, 0, 100, 100), View(50, 0, 100, 100))),
        (150, 100, (View(0, 0, 100, 100), View(0, 50, 100, 100))),
        (100, 201, (View(0, 0, 201, 100), View(0, 0, 100, 100), View(101, 0, 100, 100))),
        (100, 105, (View(0, 0, 105, 100),)),
    ],
)
def test_the_squares_at_the_ends(height, width, expected) -> None:
    assert squares(ramp(height, width)) == expected


@pytest.mark.parametrize(("height", "width"), [(100, 100), (100, 109), (100, 111), (200, 100), (100, 400), (1, 640)])
def test_the_squares_show_all_of_a_picture(height, width) -> None:
    seen = np.zeros((height, width), dtype=bool)
    for view in squares(ramp(height, width)):
        seen[view.top : view.top + view.height, view.left : view.left + view.width] = True
    assert seen.all()
