import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resilience.rate import TokenBucket

from .virtual_time import Clock


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(rate=4, burst=2, clock=clock)
    for _ in range(2):
        assert bucket.wait() == 0
        bucket.take()
    assert bucket.wait() == pytest.approx(0.25)
    assert bucket.wait(ahead=3) == pytest.approx(1.0)
    clock.now += 0.25
    assert bucket.wait() == pytest.approx(0)
    clock.now += 1000
    assert bucket.wait(ahead=1) == 0
    assert bucket.wait(ahead=2) == pytest.approx(0.25)


def test_a_call_that_does_not_start_after_all_makes_room_for_another_but_not_for_more_than_a_burst() -> None:
    bucket = TokenBucket(rate=4, burst=1, clock=Clock())
    bucket.take()
    assert bucket.wait() == pytest.approx(0.25)
    bucket.give_back()
    assert bucket.wait() == 0
    bucket.give_back()
    assert bucket.wait(ahead=1) == pytest.approx(0.25)


@given(st.floats(0.1, 100), st.integers(1, 20), st.lists(st.floats(0, 3), max_size=200))
def test_in_no_time_more_than_the_rate_and_one_burst(rate, burst, pauses) -> None:
    clock, taken = Clock(), 0
    bucket = TokenBucket(rate, burst, clock)
    for pause in pauses:
        clock.now += pause
        if bucket.wait() == 0:
            bucket.take()
            taken += 1
        assert taken <= burst + rate * (clock.now - 1000.0) + 1e-6
