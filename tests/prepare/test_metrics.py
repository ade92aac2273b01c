import pytest
from prometheus_client import CollectorRegistry

from gateway.errors import GatewayError
from gateway.prepare import PrepareOptions, Preparer
from gateway.prepare.metrics import PrepareMetrics
from gateway.prepare.settings import PrepareSettings


async def test_pictures_are_counted_by_what_became_of_them(dog) -> None:
    registry = CollectorRegistry()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"image_gateway_prepare_{name}", labels)

    with Preparer(PrepareSettings(workers=1), metrics=PrepareMetrics(registry)) as preparer:
        await preparer.prepare(dog, options=PrepareOptions(strip_metadata=False))
        preparer.check(dog)
        await preparer.prepare(dog, options=PrepareOptions(max_side=100))
        for broken in (b"", dog[:2000]):
            with pytest.raises(GatewayError):
                await preparer.prepare(broken)
        with pytest.raises(GatewayError):
            preparer.check(b"no picture")
    outcomes = {name: value("pictures_total", operation="tagging", outcome=name) for name in ("unchanged", "changed", "refused")}
    assert outcomes == {"unchanged": 2, "changed": 1, "refused": 3}
    assert value("actions_total", action="fit") == 1
    refusals = {reason: value("refusals_total", reason=reason) for reason in ("IMAGE_EMPTY", "IMAGE_DAMAGED")}
    assert refusals == {"IMAGE_EMPTY": 1, "IMAGE_DAMAGED": 1}
    assert value("duration_seconds_count", operation="tagging") == 3
