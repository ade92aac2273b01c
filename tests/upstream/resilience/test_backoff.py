import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resilience.backoff import Backoff

fractions = st.floats(0, 1, exclude_max=True)


def test_the_bound_doubles_up_to_the_longest_pause() -> None:
    backoff = Backoff(base=0.2, longest=1.0, random=lambda: 0.5)
    assert [backoff.delay(n) for n in (1, 2, 3, 4, 60)] == [0.1, 0.2, 0.4, 0.5, 0.5]


@given(fractions, st.integers(1, 100), st.floats(0.01, 60), st.floats(0.01, 300))
def test_the_pause_is_anything_between_nothing_and_the_bound(fraction, retry, base, longest) -> None:
    delay = Backoff(base, longest, lambda: fraction).delay(retry)
    assert delay == pytest.approx(fraction * min(longest, base * 2.0 ** (retry - 1)))


@given(fractions, st.floats(0, 86_400))
def test_what_the_service_asks_for_is_the_least_and_nobody_waits_longer_than_the_longest_pause_for_it(fraction, asked) -> None:
    delay = Backoff(0.2, 20.0, lambda: fraction).delay(1, asked)
    if asked > 20.0:
        assert delay is None
    else:
        assert asked <= delay <= asked + 0.2


def test_those_who_were_told_the_same_do_not_return_together() -> None:
    randoms = iter([0.1, 0.9])
    backoff = Backoff(0.2, 20.0, lambda: next(randoms))
    assert backoff.delay(1, 5.0) != backoff.delay(1, 5.0)
