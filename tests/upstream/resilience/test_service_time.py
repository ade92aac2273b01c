import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resilience.service_time import ServiceTime

from .virtual_time import Clock


def test_nothing_is_known_at_first() -> None:
    times = ServiceTime(Clock())
    assert (times.mean, times.quick) == (0, 0)


def test_of_a_mixture_the_mean_and_the_quick_ones() -> None:
    times = ServiceTime(Clock())
    for _ in range(200):
        times.observe(0.3)
        times.observe(5.0)
    assert times.mean == pytest.approx(2.65, rel=0.1)
    assert 0.3 <= times.quick <= 0.6


def test_what_was_long_ago_says_little() -> None:
    clock = Clock()
    times = ServiceTime(clock)
    times.observe(8.0)
    clock.now += 60
    assert (times.mean, times.quick) == (pytest.approx(2.0), pytest.approx(2.0))
    times.observe(8.0)
    assert (times.mean, times.quick) == (pytest.approx(8.0), pytest.approx(8.0))


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_both_stay_within_what_was_seen(seen) -> None:
    times = ServiceTime(Clock())
    for seconds in seen:
        times.observe(seconds)
    assert min(seen) - 1e-9 <= times.quick <= times.mean + 1e-9
    assert times.mean <= max(seen) + 1e-9
