"""What is counted of calls to the cloud."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.upstream.credentials.protocol import Holding
from gateway.upstream.operations import OPERATIONS
from gateway.upstream.outcome import Billed, Outcome
from gateway.upstream.resilience.breaker import BreakerState

_PREFIX: Final = "image_gateway_cloud"

OTHER_TENANTS: Final = "other"
"""What tenants are called that have no series of their own."""

_MOST_TENANTS: Final = 100
"""Every name is a series that is kept for good."""

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

CANCELLED: Final = "cancelled"
"""The outcome of an attempt whose caller gave up; the vendor may have done the work."""

_STATES: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class UpstreamMetrics:
    """Counters of one cloud client, in `registry`."""

    def __init__(self, registry: CollectorRegistry, is_listed: Callable[[str], bool] = lambda _: True) -> None:
        """`is_listed`: whether a tenant may be named; names that callers make up, or that tell of persons, are not to be seen."""
        self._registry = registry
        self._is_listed = is_listed
        self._tenants: set[str] = set()
        self._calls = Counter(
            f"{_PREFIX}_calls",
            "Calls by what came of them: ok, or a reason.",
            ["operation", "tenant", "result"],
            registry=registry,
        )
        self._attempts = Counter(
            f"{_PREFIX}_attempts",
            "Requests made, by what became of them and whether they cost money (no, maybe, yes).",
            ["operation", "tenant", "outcome", "billed"],
            registry=registry,
        )
        # Without labels, so that it is there before the first: tenants are not known ahead.
        self._throttles = Counter(f"{_PREFIX}_throttles", "Requests that the cloud refused as too many.", registry=registry)
        self._attempt_seconds = Histogram(
            f"{_PREFIX}_attempt_seconds",
            "Time of one request with its reply.",
            ["operation"],
            buckets=_SECONDS,
            registry=registry,
        )
        for operation in OPERATIONS:
            self._attempt_seconds.labels(operation.name)
        self._queue_seconds = Histogram(
            f"{_PREFIX}_queue_seconds",
            "Time that calls waited for their turn.",
            ["operation"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._retries = Counter(
            f"{_PREFIX}_retries", "Further attempts, by what made them necessary.", ["outcome"], registry=registry
        )
        self._hedges = Counter(f"{_PREFIX}_hedges", "Second attempts beside slow first ones.", registry=registry)

    def tenant(self, name: str) -> str:
        """The label for a tenant: its name, if that may be told and there are not too many; empty if it has none."""
        if not name:
            return name
        if not self._is_listed(name):
            return OTHER_TENANTS
        if name in self._tenants:
            return name
        if len(self._tenants) >= _MOST_TENANTS:
            return OTHER_TENANTS
        self._tenants.add(name)
        return name

    def called(self, operation: str, tenant: str, result: str, queue_time: float) -> None:
        """Count a call that has ended. `queue_time` is in seconds."""
        self._calls.labels(operation, self.tenant(tenant), result).inc()
        self._queue_seconds.labels(operation).observe(queue_time)

    def attempted(self, operation: str, tenant: str, outcome: str, billed: Billed, seconds: float) -> None:
        """Count a request that has ended, or was given up."""
        self._attempts.labels(operation, self.tenant(tenant), outcome, billed.value).inc()
        self._attempt_seconds.labels(operation).observe(seconds)
        if outcome == Outcome.THROTTLED:
            self._throttles.inc()

    def retried(self, outcome: str) -> None:
        """Count a further attempt."""
        self._retries.labels(outcome).inc()

    def hedged(self) -> None:
        """Count a second attempt beside a slow first one."""
        self._hedges.inc()

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody looks."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)

    def show_count(self, name: str, text: str, read: Callable[[], int]) -> None:
        """Likewise, of what only grows."""
        self._register(lambda: [CounterMetricFamily(f"{_PREFIX}_{name}", text, value=read())])

    def show_breakers(self, states: Callable[[], Iterable[tuple[str, BreakerState]]]) -> None:
        """Show the state of each operation's breaker whenever somebody looks."""
        self._register(lambda: [_breaker_states(states())])

    def show_credential(self, holding: Callable[[], Holding]) -> None:
        """Show what the credential holds whenever somebody looks."""
        self._register(lambda: _credential(holding()))

    def _register(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._registry.register(_Shown(collect))


class _Shown(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """What is so now."""
        return self._collect()


def _breaker_states(states: Iterable[tuple[str, BreakerState]]) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_breaker_state", "0 closed, 1 half open, 2 open.", labels=["operation"])
    for operation, state in states:
        family.add_metric([operation], _STATES[state])
    return family


def _credential(holding: Holding) -> list[Metric]:
    prefix = f"{_PREFIX}_credential"
    fetches = CounterMetricFamily(f"{prefix}_fetches", "Tokens or keys fetched (ok), and times that none was.", labels=["result"])
    fetches.add_metric(["ok"], holding.fetches)
    fetches.add_metric(["failed"], holding.failures)
    return [
        GaugeMetricFamily(f"{prefix}_age_seconds", "Since the token or key was fetched; NaN if there is none.", holding.age),
        GaugeMetricFamily(f"{prefix}_remaining_seconds", "Until it ends; +Inf if it never does.", holding.remaining),
        fetches,
    ]
