"""What is counted of downloads."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PREFIX: Final = "image_gateway_download"

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class DownloadMetrics:
    """Counters of one downloader, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._files = Counter(f"{_PREFIX}_files", "Downloads: ok, or the reason.", ["outcome"], registry=registry)
        self._bytes = Counter(f"{_PREFIX}_bytes", "Bytes of the files downloaded.", registry=registry)
        self._seconds = Histogram(
            f"{_PREFIX}_duration_seconds", "Time of downloads, their wait included.", buckets=_SECONDS, registry=registry
        )

    def ended(self, outcome: str, size: int, seconds: float) -> None:
        """Count a download of `size` bytes: `ok`, or the reason."""
        self._files.labels(outcome).inc()
        self._bytes.inc(size)
        self._seconds.observe(seconds)

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody looks."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)
