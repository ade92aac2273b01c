"""What one of several workers may use of what is there once: the machine, and the cloud's account."""

from typing import Final

from gateway.config import ConfigError, GatewaySettings

_LEAST_CACHE: Final = 1 << 20
_LEAST_MEMORY: Final = 64 << 20


def check_divisible(settings: GatewaySettings) -> None:
    """Raise `ConfigError` for settings that several workers cannot have."""
    workers = settings.rpc.workers
    problems = []
    if settings.limit.concurrency < workers:
        problems.append(
            f"setting limit.concurrency is {settings.limit.concurrency}; it must be at least rpc.workers, which is {workers}, "
            "since it is divided among them"
        )
    if problems:
        raise ConfigError(problems)


def share_of(settings: GatewaySettings, index: int) -> GatewaySettings:
    """The settings of the worker `index`, from 0, out of `rpc.workers`.

    What all may use together is never more than the settings say, except where each needs at least one: a thread, or the least
    that a setting allows. Connections are spread over workers by chance, so a share is used in full only where there are many.
    """
    count = settings.rpc.workers

    def part(whole: int, least: int) -> int:
        return max(least, whole // count + (index < whole % count))

    limit, cache, prepare, local = settings.limit, settings.cache, settings.prepare, settings.local
    concurrency = part(limit.concurrency, 1)
    limits = {
        "concurrency": concurrency,
        "least": min(limit.least, concurrency),
        "rate": limit.rate and limit.rate / count,
        "burst": limit.burst and part(limit.burst, 1),
        "queue_length": part(limit.queue_length, 0),
    }
    rpc = {
        "max_held_bytes": part(settings.rpc.max_held_bytes, _LEAST_MEMORY),
        "replay_max_bytes": part(settings.rpc.replay_max_bytes, _LEAST_CACHE),
    }
    return settings.model_copy(
        update={
            "rpc": settings.rpc.model_copy(update=rpc),
            "limit": limit.model_copy(update=limits),
            "cache": cache.model_copy(update={"max_bytes": part(cache.max_bytes, _LEAST_CACHE)}),
            "prepare": prepare.model_copy(
                update={"memory": part(prepare.memory, _LEAST_MEMORY), "workers": part(prepare.workers, 1)}
            ),
            "local": local.model_copy(update={"workers": part(local.workers, 1)}),
            "breadth": settings.breadth.model_copy(update={"workers": part(settings.breadth.workers, 1)}),
        }
    )
