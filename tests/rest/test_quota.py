import contextlib
from collections.abc import Iterator

import pytest

from gateway.rest.errors import RestError
from gateway.rest.quota import Quota, Quotas


@pytest.fixture
def quotas(clock) -> Quotas:
    return Quotas(clock)


def call(quotas: Quotas, *holders: Quota, operation: str = "tagging") -> None:
    with quotas.admit(operation, [(f"holder {number}", quota) for number, quota in enumerate(holders)]):
        pass


def refused(quotas: Quotas, *holders: Quota, operation: str = "tagging") -> RestError:
    with pytest.raises(RestError) as caught:
        call(quotas, *holders, operation=operation)
    return caught.value


@contextlib.contextmanager
def failing_call(quotas: Quotas, quota: Quota) -> Iterator[None]:
    """A call that ends in an exception, after what is done in it."""
    with contextlib.suppress(ZeroDivisionError), quotas.admit("tagging", [("holder 0", quota)]):
        yield
        raise ZeroDivisionError


def test_without_limits_everything_is_admitted(quotas) -> None:
    for _ in range(100):
        call(quotas, Quota(), Quota())


@pytest.mark.parametrize(
    ("quota", "code", "status"),
    [
        (Quota(frozen=True), "AIS.0027", 400),
        (Quota(subscribed=frozenset({"defog"})), "AIS.0004", 400),
        (Quota(subscribed=frozenset()), "AIS.0004", 400),
        (Quota(not_enabled=frozenset({"tagging"})), "AIS.0007", 400),
        (Quota(calls_per_month=0), "AIS.0032", 400),
    ],
)
def test_what_is_not_allowed_at_all(quotas, quota, code, status) -> None:
    for holders in ((quota,), (Quota(), quota), (quota, Quota())):
        error = refused(quotas, *holders) if holders[0] is quota else refused(Quotas(lambda: 0.0), *holders)
        assert (error.code, error.status, error.retry_after) == (code, status, None)


def test_what_is_subscribed_and_enabled_is_admitted(quotas) -> None:
    call(quotas, Quota(subscribed=frozenset({"tagging"}), not_enabled=frozenset({"defog"})))


def test_a_rate(quotas, clock) -> None:
    quota = Quota(calls_per_second=4.0)
    for _ in range(4):
        call(quotas, quota)
    error = refused(quotas, quota)
    assert (error.code, error.status, error.retry_after) == ("APIG.0308", 429, 0.25)
    clock.now += 0.25
    call(quotas, quota)
    refused(quotas, quota)
    clock.now += 3600  # a pause is not saved up
    for _ in range(4):
        call(quotas, quota)
    refused(quotas, quota)
    clock.now -= 3600
    refused(quotas, quota)
    clock.now += 0.25
    call(quotas, quota)


def test_a_rate_below_one_and_a_burst(quotas, clock) -> None:
    slow, bursting = Quota(calls_per_second=0.1), Quota(calls_per_second=0.5, burst=3)
    call(quotas, slow)
    assert refused(quotas, slow).retry_after == pytest.approx(10)
    clock.now += refused(quotas, slow).retry_after
    call(quotas, slow)
    others = Quotas(clock)
    for _ in range(3):
        call(others, bursting)
    assert refused(others, bursting).retry_after == pytest.approx(2)


def test_calls_at_once(quotas) -> None:
    quota = Quota(calls_at_once=2)
    for _ in range(2):
        with failing_call(quotas, quota), quotas.admit("tagging", [("holder 0", quota)]):
            error = refused(quotas, quota)
            assert (error.code, error.status, error.retry_after) == ("APIG.0308", 429, 1.0)
    call(quotas, quota)


def test_the_month_s_calls(quotas, clock) -> None:
    quota = Quota(calls_per_month=2)
    call(quotas, quota)
    with failing_call(quotas, quota):  # which does not count
        assert refused(quotas, quota, Quota(frozen=True)).code == "AIS.0032"
    call(quotas, quota)
    assert refused(quotas, quota).code == "AIS.0032"
    clock.now += 17 * 86_400  # 1 February 2027, 08:00
    call(quotas, quota)


def test_calls_in_flight_count_for_their_own_month(quotas, clock) -> None:
    quota = Quota(calls_per_month=1)
    with failing_call(quotas, quota):
        assert refused(quotas, quota).code == "AIS.0032"  # it may yet succeed
        clock.now += 17 * 86_400
        call(quotas, quota)
    assert refused(quotas, quota).code == "AIS.0032"


def test_a_refused_call_counts_nowhere(quotas) -> None:
    user, project = Quota(calls_per_second=1.0, calls_per_month=1, calls_at_once=1), Quota(frozen=True)
    assert refused(quotas, user, project).code == "AIS.0027"
    call(quotas, user)


def test_holders_are_apart(quotas) -> None:
    quota = Quota(calls_per_month=1)
    for name in ("ada", "eve"):
        with quotas.admit("tagging", [(name, quota)]):
            pass
