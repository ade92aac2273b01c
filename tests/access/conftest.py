"""A roster, a clock, metrics that can be read."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from gateway.access.metrics import AccessMetrics


class Clock:
    """Stands still until it is told otherwise. Noon of 2026-11-28 UTC, for those who read it as a date."""

    def __init__(self) -> None:
        self.now = 1_795_867_200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> AccessMetrics:
    return AccessMetrics(registry)


@pytest.fixture
def counted(registry: CollectorRegistry) -> Callable[..., float]:
    """Reads a metric, without the prefix of all; 0 if it has not been counted."""

    def read(name: str, **labels: str) -> float:
        return registry.get_sample_value(f"image_gateway_{name}", labels) or 0.0

    return read
