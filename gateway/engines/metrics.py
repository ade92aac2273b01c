"""What is counted of the engines."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Histogram

_PREFIX: Final = "image_gateway_engine"

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class EngineMetrics:
    """Times of the engines of one process, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(f"{_PREFIX}_{name}_seconds", text, ["engine"], buckets=_SECONDS, registry=registry)

        self._work = histogram("duration", "Time of the work on one picture or recording, its decoding included.")
        self._decode = histogram("decode", "Of that, time of decoding.")
        self._queue = histogram("queue", "Time that pictures and recordings waited for a thread.")

    def worked(self, engine: str, *, queue_time: float, work_time: float, decode_time: float | None = None) -> None:
        """Count a piece of work. Times are in seconds."""
        self._work.labels(engine).observe(work_time)
        self._queue.labels(engine).observe(queue_time)
        if decode_time is not None:
            self._decode.labels(engine).observe(decode_time)

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show what `read` returns whenever somebody looks."""
        Gauge(f"{_PREFIX}_{name}", text, registry=self._registry).set_function(read)
