"""The scenarios of `python -m bench.streams`, small: real processes, real channels, exact accounts."""

from collections.abc import Sequence

from bench.streams.bulk import Bulk, bulk
from bench.streams.churn import Churn, churn
from bench.streams.face import face
from bench.streams.fairness import Fairness, fairness
from bench.streams.section import Section
from bench.streams.slow import Slow, slow

BULK = Bulk(streams=20, items=50)
FACE = Bulk(streams=10, items=40)
SLOW = Slow(readers=2, queued=512 << 20, size=1 << 20, held=64 << 20, window=8)
FAIRNESS = Fairness(large=3, size=1 << 20, items=60, held=64 << 20)
CHURN = Churn(streams=20, rounds=4, items=15)

TIMED = "health answered"
"""What the machine's other work decides, too, is for the bench to measure."""


def failing(section: Section, *, but: Sequence[str] = ()) -> list[str]:
    return [
        f"{check.name}: {check.found}, not {check.wanted}"
        for check in section.checks
        if not check.holds and not check.name.startswith(tuple(but))
    ]


async def test_every_item_of_many_streams_is_answered_once_and_as_it_should_be() -> None:
    assert failing(await bulk(BULK), but=[TIMED]) == []


async def test_the_rest_face_is_asked_about_every_item_once() -> None:
    assert failing(await face(FACE), but=[TIMED]) == []


async def test_clients_that_do_not_read_cost_bounded_memory() -> None:
    assert failing(await slow(SLOW)) == []


async def test_small_pictures_get_their_share_beside_large_ones() -> None:
    assert failing(await fairness(FAIRNESS)) == []


async def test_streams_that_end_in_every_way_leave_nothing_behind() -> None:
    assert failing(await churn(CHURN)) == []
