import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resilience.budget import RetryBudget


@given(st.floats(0, 1), st.integers(1, 20), st.lists(st.sampled_from("cr"), max_size=400))
def test_further_attempts_are_never_more_than_the_reserve_and_the_share_of_the_calls(share, reserve, events) -> None:
    budget, calls, granted = RetryBudget(share, reserve), 0, 0
    for event in events:
        if event == "c":
            budget.deposit()
            calls += 1
        else:
            granted += budget.withdraw()
        assert granted <= reserve + share * calls + 1e-9
        assert 0 <= budget.tokens <= reserve


def test_an_outage_costs_the_share_in_the_long_run() -> None:
    budget, granted = RetryBudget(0.2, 10), 0
    for _ in range(10_000):
        budget.deposit()
        granted += budget.withdraw() + budget.withdraw()  # every call would be made three times
    assert granted == pytest.approx(2010, abs=2)


def test_it_starts_with_the_reserve_and_a_refusal_costs_nothing() -> None:
    budget = RetryBudget(0.5, 2)
    assert [budget.withdraw() for _ in range(4)] == [True, True, False, False]
    assert budget.refusals == 2
    budget.deposit()
    assert not budget.withdraw()
    budget.deposit()
    assert budget.withdraw()


def test_a_quiet_time_saves_no_more_than_the_reserve() -> None:
    budget = RetryBudget(0.2, 3)
    for _ in range(1000):
        budget.deposit()
    assert budget.tokens == 3
