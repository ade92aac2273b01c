import pytest

from gateway.access.identity import RefusedError
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import Limits, Roster, Tenant
from gateway.access.verdicts import REFUSALS


def test_what_alerts_ask_for_begins_at_0_with_a_class(registry) -> None:
    metrics = AccessMetrics(registry)
    metrics.expect_classes(["gold"])
    labels = {"tenant_class": "gold", "limit": "budget_unknown"}
    assert registry.get_sample_value("image_gateway_tenant_refusals_total", labels) == 0
    assert registry.get_sample_value("image_gateway_tenant_billable_calls_total", {"tenant_class": "gold"}) == 0


def test_classes_that_come_back_go_on_counting(registry) -> None:
    metrics = AccessMetrics(registry)
    for classes in (["gold"], ["default"], ["gold", "default"]):
        metrics.expect_classes(classes)
        metrics.billable("gold")
    assert registry.get_sample_value("image_gateway_tenant_billable_calls_total", {"tenant_class": "gold"}) == 3


def test_a_roster_s_classes_are_those_of_whoever_may_call() -> None:
    tenants = {"shop": Tenant("shop", Limits("gold"))}
    assert Roster(tenants=tenants).classes == {"gold", "default"}
    assert Roster(tenants=tenants, others=None).classes == {"gold"}


def test_every_verdict_of_those_who_are_asked_begins_at_0(registry) -> None:
    AccessMetrics(registry).expect_authentications(["api_key"])

    def value(authenticator: str, result: str) -> float | None:
        labels = {"authenticator": authenticator, "result": result}
        return registry.get_sample_value("image_gateway_authentications_total", labels)

    assert {value("api_key", result) for result in ("ok", *REFUSALS["api_key"])} == {0}
    assert {value("none", result) for result in REFUSALS[""]} == {0}
    assert value("certificate", "ok") is None


def test_no_refusal_is_made_up() -> None:
    with pytest.raises(ValueError, match="not in the list"):
        RefusedError("api_key", "made_up", "no")
