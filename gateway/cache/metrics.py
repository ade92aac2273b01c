"""What is counted of the cache."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.cache.memory import MemoryStore
from gateway.media import CacheState

_PREFIX: Final = "image_gateway_cache"


class CacheMetrics:
    """Counters of one cache, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._answers = Counter(
            f"{_PREFIX}_answers",
            "Answers, and errors of the picture, by where they came from (miss, hit, shared).",
            ["operation", "state"],
            registry=registry,
        )

    def answered(self, operation: str, state: CacheState) -> None:
        """Count an answer."""
        self._answers.labels(operation, state.value).inc()

    def show(self, store: MemoryStore) -> None:
        """Show how full `store` is, whenever somebody looks."""
        Gauge(f"{_PREFIX}_bytes", "What remembered answers take.", registry=self._registry).set_function(lambda: store.size_bytes)
        Gauge(f"{_PREFIX}_entries", "Answers remembered.", registry=self._registry).set_function(lambda: store.entries)
