"""What is counted of calls: how many, how they end, how long they take."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.rpc.expected_series import ENDINGS, OUTCOMES
from gateway.rpc.own_services import is_of_grpc
from gateway.telemetry.scope import Scope

_PREFIX: Final = "image_gateway_rpc"

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_DEFAULT_CLASS: Final = "default"
"""Of callers of whom nobody has found out anything."""


_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


class _Children(dict[tuple[str, ...], _Metric]):
    """The children of a metric by the values of their labels. `labels` of the library takes a lock, and five times as long."""

    def __init__(self, metric: _Metric) -> None:
        super().__init__()
        self._metric: _Metric = metric

    def __missing__(self, values: tuple[str, ...]) -> _Metric:
        child: _Metric = self._metric.labels(*values)
        self[values] = child
        return child


class RpcMetrics:
    """Counters of one gRPC server, in `registry`. Methods are those of the contract, and `unknown`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._started = _Children(Counter(f"{_PREFIX}_started", "Calls that came.", ["method"], registry=registry))
        self._handled = _Children(
            Counter(
                f"{_PREFIX}_handled",
                "Calls that ended, by their status and, where they failed, the reason (docs/errors.md).",
                ["method", "tenant_class", "code", "reason"],
                registry=registry,
            )
        )
        # By few labels, so that all of it is there before anything happens.
        self._ended = _Children(
            Counter(
                f"{_PREFIX}_ended",
                "Calls that ended, of all methods but gRPC's own, by status and reason: what alerts ask for.",
                ["code", "reason"],
                registry=registry,
            )
        )
        for code, reason in ENDINGS:
            self._ended[code, reason]
        self._duration = _Children(
            Histogram(
                f"{_PREFIX}_duration_seconds",
                "Time of calls, whole streams included.",
                ["method", "tenant_class"],
                buckets=_SECONDS,
                registry=registry,
            )
        )
        self._in_flight = _Children(Gauge(f"{_PREFIX}_in_flight", "Calls under way.", ["method"], registry=registry))
        self._items = _Children(
            Counter(
                f"{_PREFIX}_items", "Items of streams and batches: ok, or a reason.", ["method", "outcome"], registry=registry
            )
        )
        self._item_duration = _Children(
            Histogram(
                f"{_PREFIX}_item_duration_seconds",
                "Time of one item of a stream or batch.",
                ["method"],
                buckets=_SECONDS,
                registry=registry,
            )
        )

    def expect_items(self, methods: Iterable[str]) -> None:
        """Have counts of items of these methods exist that alerts ask for."""
        for method in methods:
            for outcome in OUTCOMES:
                self._items[method, outcome]

    def began(self, method: str) -> None:
        """Count a call that came."""
        self._started[method,].inc()
        self._in_flight[method,].inc()

    def ended(self, method: str, scope: Scope, code: grpc.StatusCode, seconds: float) -> None:
        """Count the call of `scope`, which has ended."""
        tenant_class = scope.tenant_class or _DEFAULT_CLASS
        self._in_flight[method,].dec()
        self._handled[method, tenant_class, code.name, scope.reason].inc()
        if not is_of_grpc(method):
            self._ended[code.name, scope.reason].inc()
        self._duration[method, tenant_class].observe(seconds)

    def item_ended(self, method: str, outcome: str, seconds: float) -> None:
        """Count an item."""
        self._items[method, outcome].inc()
        self._item_duration[method,].observe(seconds)

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody looks."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)
