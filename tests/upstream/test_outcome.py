import pytest

from gateway.upstream.outcome import Attempt, Billed, Outcome
from gateway.upstream.reply import HttpReply

BILLED = {
    Outcome.SUCCESS: Billed.YES,
    Outcome.REFUSED: Billed.NO,
    Outcome.UNAUTHENTICATED: Billed.NO,
    Outcome.THROTTLED: Billed.NO,
    Outcome.FAILED: Billed.NO,
    Outcome.NOT_SENT: Billed.NO,
    Outcome.STALE: Billed.MAYBE,
    Outcome.LOST: Billed.MAYBE,
    Outcome.MALFORMED: Billed.MAYBE,
}


@pytest.mark.parametrize("outcome", Outcome)
def test_what_costs_money(outcome) -> None:
    assert outcome.billed is BILLED[outcome]
    assert Attempt(outcome).billed is BILLED[outcome]


@pytest.mark.parametrize(("status", "billed"), [(500, Billed.NO), (502, Billed.MAYBE), (503, Billed.NO), (504, Billed.MAYBE)])
def test_a_proxy_s_failure_may_have_been_a_success_behind_it(status, billed) -> None:
    assert Attempt(Outcome.FAILED, HttpReply(status, {}, b"")).billed is billed
    assert Attempt(Outcome.THROTTLED, HttpReply(status, {}, b"")).billed is Billed.NO
