"""Maps of made-up scores, and the real classifier's of photographs put into one corner of a picture."""

import cv2
import numpy as np
import pytest

from gateway.engines.picture import decoded
from gateway.engines.steps import never_cancelled
from gateway.engines.tagging.maps import extent, heat, small
from gateway.engines.tagging.observer import Observer
from gateway.engines.tagging.reader import Reader
from gateway.engines.tagging.views import View, squares, whole
from gateway.engines.tagging.vocabulary import load_vocabulary

BEE = 309


def grey(*shape: int) -> np.ndarray:
    return np.full((*shape, 3), 128, dtype=np.uint8)


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 6), (6, 0), (2, 5)])
def test_a_warm_cell_is_where_it_lies_in_its_view(row, column) -> None:
    cells = np.zeros((1, 7, 7), dtype=np.float32)
    cells[0, row, column] = 1.0
    warm = heat(cells, [View(0, 0, 320, 160)], (320, 160))
    assert warm.shape == (56, 112)
    peak = np.unravel_index(warm.argmax(), warm.shape)
    assert peak == (pytest.approx((row + 0.5) * 8, abs=4), pytest.approx((column + 0.5) * 16, abs=8))


def test_views_are_laid_where_they_were_seen_and_averaged_where_they_overlap() -> None:
    cells = np.stack([np.full((7, 7), 1.0), np.full((7, 7), 3.0)]).astype(np.float32)
    warm = heat(cells, [View(0, 0, 300, 300), View(148, 0, 300, 300)], (448, 300))
    assert warm.shape == (75, 112)
    assert np.unique(warm[:, :37]) == [1]
    assert np.unique(warm[:, 37:75]) == [2]
    assert np.unique(warm[:, 75:]) == [3]


@pytest.mark.parametrize("size", [(1, 1), (640, 1), (1, 640), (15, 16), (640, 427), (333, 500)])
def test_a_map_covers_pictures_of_any_shape_and_fits_their_colours(size) -> None:
    picture = grey(*size[::-1])
    views = squares(picture)
    warm = heat(np.ones((len(views), 7, 7), dtype=np.float32), views, size)
    assert (warm == 1).all()
    assert small(picture).shape[:2] == warm.shape
    assert extent(warm, small(picture), size).tolist() == [[0, 0, *size]]


def test_the_box_is_around_the_largest_part_that_is_warm() -> None:
    warm = np.full((56, 112), -1.0, dtype=np.float32)
    warm[10:20, 30:60] = 1.0
    warm[40:44, 80:84] = 2.0
    assert extent(warm, grey(56, 112), (224, 112)).tolist() == [[60, 20, 120, 40]]


def test_nothing_is_where_nothing_speaks_for_it() -> None:
    assert extent(np.zeros((56, 112), dtype=np.float32), grey(56, 112), (224, 112)).shape == (0, 4)
    assert extent(np.full((56, 112), -1.0, dtype=np.float32), grey(56, 112), (224, 112)).shape == (0, 4)


def test_colours_tell_where_in_the_warm_part_the_thing_ends() -> None:
    colours = np.random.default_rng(0).integers(90, 110, (80, 112, 3), dtype=np.uint8)
    colours[30:50, 40:70] = (220, 60, 30)
    warm = np.zeros((80, 112), dtype=np.float32)
    warm[15:65, 25:90] = 0.5
    warm[25:55, 35:80] = 1.0
    assert extent(warm, colours, (112, 80)).tolist() == [[40, 30, 70, 50]]
    colours[30:50, 40:70] = 100
    assert extent(warm, colours, (112, 80)).tolist() == [[25, 15, 90, 65]]


def test_the_box_does_not_depend_on_what_was_computed_before() -> None:
    random = np.random.default_rng(1)
    colours = cv2.resize(random.integers(0, 255, (9, 14, 3), dtype=np.uint8), (112, 72))
    warm = cv2.resize(random.random((7, 7)).astype(np.float32), (112, 72)) - 0.2
    first = extent(warm, colours, (640, 411))
    cv2.setRNGSeed(12345)
    assert extent(warm, colours, (640, 411)).tolist() == first.tolist()


@pytest.mark.parametrize(("right", "below"), [(False, False), (True, False), (False, True), (True, True)])
def test_an_animal_in_a_quarter_of_the_picture_has_its_place_there(observer, photos, right, below) -> None:
    bee, _ = decoded((photos / "bee.jpg").read_bytes(), max_side=240, max_pixels=10_000_000)
    height, width = bee.shape[:2]
    picture = np.full((2 * height, 2 * width, 3), 128, dtype=np.uint8)
    top, left = height * below, width * right
    picture[top : top + height, left : left + width] = bee
    evidence = observer.look(picture, never_cancelled)
    warm = heat(evidence.cells[..., BEE], evidence.views, evidence.size)
    row, column = np.unravel_index(warm.argmax(), warm.shape)
    assert (row >= warm.shape[0] / 2, column >= warm.shape[1] / 2) == (below, right)
    reader = Reader(load_vocabulary())
    ((x, y, to_x, to_y),) = reader.mapped(reader.shares(evidence), evidence).tolist()
    assert left - width / 4 <= x < to_x <= left + width * 5 / 4
    assert top - height / 4 <= y < to_y <= top + height * 5 / 4


def test_the_scores_of_a_view_are_the_means_of_its_cells(observer, photos) -> None:
    picture, _ = decoded((photos / "dog.jpg").read_bytes(), max_side=640, max_pixels=10_000_000)
    logits, cells = observer.classifier.scores(whole(picture).pixels(picture, 224)[np.newaxis])
    assert cells.shape == (1, 7, 7, 1000)
    assert cells.mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 112), (112, 1), (2, 112), (75, 112)])
def test_maps_that_are_warm_nearly_everywhere_or_nearly_nowhere_have_a_box(shape) -> None:
    random = np.random.default_rng(7)
    colours = random.integers(0, 255, (*shape, 3), dtype=np.uint8)
    for spread, elsewhere in ((1.0, 0.0), (0.0, 1.0), (1.0, 0.05), (1.0, 0.15)):
        warm = np.full(shape, elsewhere, dtype=np.float32)
        warm[-1, -1] = spread
        ((left, top, right, bottom),) = extent(warm, colours, (shape[1], shape[0])).tolist()
        assert 0 <= left < right <= shape[1]
        assert 0 <= top < bottom <= shape[0]
