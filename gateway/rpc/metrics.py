"""What is counted of calls: how many, how they end, how long they take."""

from collections.abc import Callable
from typing import Final

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.telemetry.scope import Scope

_PREFIX: Final = "image_gateway_rpc"

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_DEFAULT_CLASS: Final = "default"
"""Of callers of whom nobody has found out anything."""


class RpcMetrics:
    """Counters of one gRPC server, in `registry`. Methods are those of the contract, and `unknown`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._started = Counter(f"{_PREFIX}_started", "Calls that came.", ["method"], registry=registry)
        self._handled = Counter(
            f"{_PREFIX}_handled",
            "Calls that ended, by their status and, where they failed, the reason (docs/errors.md).",
            ["method", "tenant_class", "code", "reason"],
            registry=registry,
        )
        self._duration = Histogram(
            f"{_PREFIX}_duration_seconds",
            "Time of calls, whole streams included.",
            ["method", "tenant_class"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(f"{_PREFIX}_in_flight", "Calls under way.", ["method"], registry=registry)
        self._items = Counter(
            f"{_PREFIX}_items", "Items of streams and batches: ok, or a reason.", ["method", "outcome"], registry=registry
        )
        self._item_duration = Histogram(
            f"{_PREFIX}_item_duration_seconds",
            "Time of one item of a stream or batch.",
            ["method"],
            buckets=_SECONDS,
            registry=registry,
        )

    def began(self, method: str) -> None:
        """Count a call that came."""
        self._started.labels(method).inc()
        self._in_flight.labels(method).inc()

    def ended(self, method: str, scope: Scope, code: grpc.StatusCode, seconds: float) -> None:
        """Count the call of `scope`, which has ended."""
        tenant_class = scope.tenant_class or _DEFAULT_CLASS
        self._in_flight.labels(method).dec()
        self._handled.labels(method, tenant_class, code.name, scope.reason).inc()
        self._duration.labels(method, tenant_class).observe(seconds)

    def item_ended(self, method: str, outcome: str, seconds: float) -> None:
        """Count an item."""
        self._items.labels(method, outcome).inc()
        self._item_duration.labels(method).observe(seconds)

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody looks."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)
