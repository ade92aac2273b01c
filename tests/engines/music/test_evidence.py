"""What several pieces say together."""

import math

import pytest

from gateway.engines.music.evidence import Evidence, Hint, confidence


def hint(song: int, offset: float, log_odds: float, start: float) -> Hint:
    return Hint(song, offset, log_odds, start, seconds=20.0)


def best(*hints: Hint) -> Hint | None:
    collected = Evidence()
    for each in hints:
        collected.add(each)
    return collected.best()


def test_nothing_heard_says_nothing() -> None:
    assert best() is None


def test_one_piece_says_what_it_says() -> None:
    only = hint(3, 12.0, 1.5, 0)
    assert best(only) == only


def test_pieces_that_agree_add_up() -> None:
    found = best(hint(3, 12.0, 1.5, 0), hint(3, 12.4, 2.0, 20))
    assert found is not None
    assert found.log_odds == pytest.approx(1.5 + 2.0 - math.log(2))


def test_the_same_sound_heard_twice_says_no_more() -> None:
    found = best(hint(3, 12.0, 1.5, 0), hint(3, 12.0, 1.5, 1))
    assert found is not None
    assert found.log_odds == pytest.approx(1.5 + 1.5 / 20 - math.log(1 + 1 / 20))


def test_of_pieces_that_overlap_each_other_the_new_sound_counts() -> None:
    starts = 12.5, 0.0, 25.0
    found = best(*(hint(3, 12.0, 1.0, start) for start in starts))
    assert found is not None
    assert found.log_odds == pytest.approx(1 + 1.25 - math.log(2.25))  # 45 s are 2.25 pieces


@pytest.mark.parametrize(("song", "offset", "odds"), [(4, 12.0, -3.0), (3, 20.0, 1.0), (3, 12.0, -3.0)])
def test_a_piece_that_does_not_agree_was_one_more_chance(song, offset, odds) -> None:
    found = best(hint(3, 12.0, 1.5, 0), hint(song, offset, odds, 20))
    assert found is not None
    assert (found.song, found.offset) == (3, 12.0)
    assert found.log_odds == pytest.approx(1.5 - math.log(2))


def test_weak_pieces_that_agree_outweigh_a_stronger_one_that_stands_alone() -> None:
    found = best(hint(1, 0.0, 2.0, 0), hint(2, 5.0, 1.5, 20), hint(2, 5.1, 1.5, 40))
    assert found is not None
    assert found.song == 2


@pytest.mark.parametrize(("odds", "percent"), [(0.0, 50.0), (math.log(4), 80.0), (1e6, 100.0), (-1e6, 0.0)])
def test_confidence_in_percent(odds, percent) -> None:
    assert confidence(odds) == pytest.approx(percent, abs=1e-9)
