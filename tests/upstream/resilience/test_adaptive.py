import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resilience.adaptive import AdaptiveLimit

from .virtual_time import Clock


def test_one_throttle_takes_three_tenths_and_those_of_the_same_round_trip_nothing() -> None:
    clock = Clock()
    adaptive = AdaptiveLimit(1, 10, clock)
    adaptive.throttled(1.0)
    clock.now += 0.99
    adaptive.throttled(1.0)
    assert adaptive.limit == 7
    clock.now += 0.01
    adaptive.throttled(1.0)
    assert adaptive.limit == 4


def test_one_more_after_as_many_successes_as_the_limit() -> None:
    clock = Clock()
    adaptive = AdaptiveLimit(1, 100, clock)
    for _ in range(7):
        adaptive.throttled(1.0)
        clock.now += 1
    assert adaptive.limit == 8  # 100 × 0.7⁷ = 8.2
    for _ in range(9):
        adaptive.succeeded(in_flight=8)
    assert adaptive.limit == 9


def test_what_is_not_made_use_of_does_not_grow() -> None:
    adaptive = AdaptiveLimit(1, 10, Clock())
    adaptive.throttled(1.0)
    for _ in range(100):
        adaptive.succeeded(in_flight=3)
    assert adaptive.limit == 7
    for _ in range(100):
        adaptive.succeeded(in_flight=4)
    assert adaptive.limit == 8  # twice what was under way


@given(st.integers(1, 20), st.integers(0, 50), st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200))
def test_it_stays_within_its_bounds(least, room, events) -> None:
    clock, most = Clock(), least + room
    adaptive = AdaptiveLimit(least, most, clock)
    for throttled, pause in events:
        clock.now += pause
        before = adaptive.limit
        if throttled:
            adaptive.throttled(1.0)
            assert adaptive.limit <= before
        else:
            adaptive.succeeded(in_flight=adaptive.limit)
            assert before <= adaptive.limit <= before + 1
        assert least <= adaptive.limit <= most


def test_gateways_that_share_an_account_come_to_equal_shares() -> None:
    clock = Clock()
    small, large = AdaptiveLimit(1, 40, clock), AdaptiveLimit(1, 40, clock)
    for _ in range(6):
        small.throttled(0.0)
    for _ in range(3000):  # rounds: the account takes 20 at once
        clock.now += 1
        if small.limit + large.limit > 20:
            small.throttled(0.5)
            large.throttled(0.5)
        for gateway in (small, large):
            for _ in range(gateway.limit):
                gateway.succeeded(gateway.limit)
    assert small.limit == pytest.approx(large.limit, abs=1)
