"""What several pieces say together."""

import math

import pytest

from gateway.engines.music.evidence import Evidence, Hint, confidence


def evidence(*hints: Hint) -> Evidence:
    collected = Evidence()
    for hint in hints:
        collected.add(hint)
    return collected


def test_nothing_heard_says_nothing() -> None:
    assert Evidence().best() is None


def test_one_piece_says_what_it_says() -> None:
    hint = Hint(3, 12.0, 1.5)
    assert evidence(hint).best() == hint


def test_pieces_that_agree_add_up() -> None:
    best = evidence(Hint(3, 12.0, 1.5), Hint(3, 12.4, 2.0)).best()
    assert best is not None
    assert best.log_odds == pytest.approx(1.5 + 2.0 - math.log(2))


@pytest.mark.parametrize("other", [Hint(4, 12.0, -3.0), Hint(3, 20.0, 1.0), Hint(3, 12.0, -3.0)])
def test_a_piece_that_does_not_agree_was_one_more_chance(other) -> None:
    best = evidence(Hint(3, 12.0, 1.5), other).best()
    assert best is not None
    assert (best.song, best.offset) == (3, 12.0)
    assert best.log_odds == pytest.approx(1.5 - math.log(2))


def test_weak_pieces_that_agree_outweigh_a_stronger_one_that_stands_alone() -> None:
    best = evidence(Hint(1, 0.0, 2.0), Hint(2, 5.0, 1.5), Hint(2, 5.1, 1.5)).best()
    assert best is not None
    assert best.song == 2


@pytest.mark.parametrize(("odds", "percent"), [(0.0, 50.0), (math.log(4), 80.0), (1e6, 100.0), (-1e6, 0.0)])
def test_confidence_in_percent(odds, percent) -> None:
    assert confidence(odds) == pytest.approx(percent, abs=1e-9)
