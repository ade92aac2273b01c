"""The pages of one process."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.ops.log_level import LogLevel
from gateway.ops.pages import Document, Pages, Readiness
from gateway.usecases.standing import Standing


def own_pages(registry: CollectorRegistry, standing: Standing, config: Callable[[], Document], log_level: LogLevel) -> Pages:
    """What this process has to show."""

    async def metrics(accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    async def readiness() -> Readiness:
        return readiness_of(standing)

    async def shown_config() -> Document:
        return config()

    async def set_level(level: str, seconds: float | None) -> Document:
        log_level.set(level, seconds)
        return log_level.shown()

    return Pages(metrics, readiness, shown_config, log_level.shown, set_level)


def readiness_of(standing: Standing) -> Readiness:
    """As `/readyz` shows it. Causes of failures are told by reason: messages are for the log."""
    providers = {
        name: {"up": True} if failure is None else {"up": False, "reason": failure.reason.value}
        for name, failure in standing.failures.items()
    }
    return Readiness(
        standing.is_ready,
        {"draining": standing.is_draining, "degraded": standing.is_degraded, "providers": providers},
    )
