"""What is counted of callers and tenants. Tenants are told apart by class, which is one of few."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.access.verdicts import ACCEPTED, REFUSALS

_LIMITS: Final = ("operation", "concurrency", "rate", "budget", "budget_unknown")
"""By which tenants are refused that may call at all."""


class AccessMetrics:
    """Counters of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._authentications = Counter(
            "image_gateway_authentications",
            "Calls by the authenticator that judged their credentials (none if no one did) and what it said: ok or why not. "
            "Streams that go on when their credentials are taken no more count for that, too, once.",
            ["authenticator", "result"],
            registry=registry,
        )
        self._refusals = Counter(
            "image_gateway_tenant_refusals",
            f"Pictures and calls refused to tenants, by limit (tenant, {', '.join(_LIMITS)}).",
            ["tenant_class", "limit"],
            registry=registry,
        )
        self._shadow_refusals = Counter(
            "image_gateway_tenant_shadow_refusals",
            "What would have been refused or held back if the tenant's limits were in force.",
            ["tenant_class", "limit"],
            registry=registry,
        )
        self._waits = Counter(
            "image_gateway_tenant_waits",
            "Items of streams that had to wait for their tenant's turn.",
            ["tenant_class"],
            registry=registry,
        )
        self._billable = Counter(
            "image_gateway_tenant_billable_calls",
            "Calls to the cloud that were, or may have been, billed.",
            ["tenant_class"],
            registry=registry,
        )
        self._reloads = Counter(
            "image_gateway_reloads",
            "Attempts to read anew what has changed (tenants, jwt_keys, certificate), by whether it could be used.",
            ["what", "result"],
            registry=registry,
        )
        self._expiry = Gauge(
            "image_gateway_certificate_expiry_seconds",
            "When the server's certificate expires, in seconds since the epoch.",
            registry=registry,
        )

        self._refusals.labels("none", "tenant")

    def expect_classes(self, tenant_classes: Iterable[str]) -> None:
        """Have the series of these classes that alerts ask for exist before anything happens: `increase` does not see a series'
        first event. Series that are there, and those of classes that no tenant has any more, stay."""
        for tenant_class in sorted(tenant_classes):
            self._billable.labels(tenant_class)
            for limit in _LIMITS:
                self._refusals.labels(tenant_class, limit)

    def expect_authentications(self, authenticators: Iterable[str]) -> None:
        """Likewise of what these may say of credentials, and of credentials that none of them judges."""
        for result in REFUSALS[""]:
            self._authentications.labels("none", result)
        for kind in authenticators:
            for result in (ACCEPTED, *REFUSALS[kind]):
                self._authentications.labels(kind, result)

    def authenticated(self, authenticator: str, result: str) -> None:
        """Count the credentials of a call."""
        self._authentications.labels(authenticator or "none", result).inc()

    def refused(self, tenant_class: str, limit: str) -> None:
        """Count what a tenant was refused."""
        self._refusals.labels(tenant_class, limit).inc()

    def refused_in_shadow(self, tenant_class: str, limit: str) -> None:
        """Count what a tenant would have been refused."""
        self._shadow_refusals.labels(tenant_class, limit).inc()

    def waited(self, tenant_class: str) -> None:
        """Count an item that had to wait."""
        self._waits.labels(tenant_class).inc()

    def billable(self, tenant_class: str) -> None:
        """Count a call that was, or may have been, billed."""
        self._billable.labels(tenant_class).inc()

    def reload_of(self, what: str) -> Callable[[bool], None]:
        """An observer that counts attempts to read `what` anew."""
        for result in ("ok", "failed"):
            self._reloads.labels(what, result)  # so that alerts find them before anything happens

        def count(succeeded: bool) -> None:  # the only thing that it is told
            self._reloads.labels(what, "ok" if succeeded else "failed").inc()

        return count

    def show_expiry(self, read: Callable[[], float]) -> None:
        """Show when the certificate in force expires, whenever somebody looks."""
        self._expiry.set_function(read)

    def show_budgets(self, left: Callable[[], Iterable[tuple[str, str, int]]]) -> None:
        """Show what `left` gives, of each listed tenant that has a budget: its name, its class and what is left today."""
        self._registry.register(_Budgets(left))


class _Budgets(Collector):
    _NAME: Final = "image_gateway_tenant_budget_left"

    def __init__(self, left: Callable[[], Iterable[tuple[str, str, int]]]) -> None:
        self._left = left

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One sample for each tenant."""
        family = GaugeMetricFamily(
            self._NAME, "Calls to the cloud that a tenant may still make today, as far as this process knows.",
            labels=["tenant", "tenant_class"],
        )  # fmt: skip
        for tenant, tenant_class, left in self._left():
            family.add_metric([tenant, tenant_class], left)
        yield family
