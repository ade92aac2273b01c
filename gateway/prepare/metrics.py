"""What is counted of preparation."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.errors import GatewayError
from gateway.media import PreparedImage
from gateway.prepare.operations import Operation

_PREFIX: Final = "image_gateway_prepare"

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class PrepareMetrics:
    """Counters of one preparer, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._pictures = Counter(
            f"{_PREFIX}_pictures",
            "Pictures looked at: unchanged, changed, or refused.",
            ["operation", "outcome"],
            registry=registry,
        )
        self._actions = Counter(
            f"{_PREFIX}_actions", "What was done to pictures (docs/preparation.md).", ["action"], registry=registry
        )
        self._refusals = Counter(
            f"{_PREFIX}_refusals", "Pictures that were refused, by the reason.", ["reason"], registry=registry
        )
        self._seconds = Histogram(
            f"{_PREFIX}_duration_seconds",
            "Time of preparing a picture, waiting for a thread and for memory included.",
            ["operation"],
            buckets=_SECONDS,
            registry=registry,
        )

    def prepared(self, operation: Operation, image: PreparedImage, seconds: float) -> None:
        """Count a picture that is fit now."""
        self._pictures.labels(operation.value, "unchanged" if image.sent is None else "changed").inc()
        for action in image.actions:
            self._actions.labels(action.name).inc()
        self._seconds.labels(operation.value).observe(seconds)

    def refused(self, operation: Operation, error: GatewayError) -> None:
        """Count a picture that was refused."""
        self._pictures.labels(operation.value, "refused").inc()
        self._refusals.labels(error.reason.value).inc()
