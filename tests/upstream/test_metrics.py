"""Whose calls are counted under which name."""

from prometheus_client import CollectorRegistry

from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.outcome import Billed, Outcome
from gateway.upstream.spending import Unlimited


def test_only_listed_tenants_are_named() -> None:
    registry = CollectorRegistry()
    metrics = UpstreamMetrics(registry, {"shop"}.__contains__)
    for tenant in ("shop", "ada@example.org", "made up", ""):
        metrics.called("image-tagging", tenant, "ok", 0.0)
        metrics.attempted("image-tagging", tenant, Outcome.SUCCESS, Billed.YES, 0.1)

    def counted(name: str) -> dict[str, float]:
        samples = [sample for family in registry.collect() for sample in family.samples]
        return {one.labels["tenant"]: one.value for one in samples if one.name == f"image_gateway_cloud_{name}_total"}

    assert counted("calls") == counted("attempts") == {"shop": 1, "other": 2, "": 1}


def test_of_listed_tenants_there_are_bounds_too() -> None:
    metrics = UpstreamMetrics(CollectorRegistry())
    names = [f"tenant-{number}" for number in range(150)]
    assert [metrics.tenant(name) for name in names] == names[:100] + ["other"] * 50
    assert metrics.tenant("tenant-0") == "tenant-0"


def test_where_nobody_keeps_a_list_nobody_is_named() -> None:
    assert not Unlimited().is_listed("shop")


def test_throttles_are_counted_before_there_are_any() -> None:
    registry = CollectorRegistry()
    metrics = UpstreamMetrics(registry)
    assert registry.get_sample_value("image_gateway_cloud_throttles_total") == 0
    metrics.attempted("image-tagging", "", Outcome.THROTTLED, Billed.NO, 0.1)
    metrics.attempted("image-tagging", "", Outcome.SUCCESS, Billed.YES, 0.1)
    assert registry.get_sample_value("image_gateway_cloud_throttles_total") == 1
