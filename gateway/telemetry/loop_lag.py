"""How late the event loop is: whatever holds it holds every call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from prometheus_client import CollectorRegistry, Histogram

from gateway.background import in_background

_INTERVAL: Final = 0.5
_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@contextlib.asynccontextmanager
async def measured_loop(registry: CollectorRegistry) -> AsyncIterator[None]:
    """Measure, twice a second, how much later than asked this loop wakes a task."""
    lag = Histogram("image_gateway_event_loop_lag_seconds", "How late tasks are woken.", buckets=_SECONDS, registry=registry)
    loop = asyncio.get_running_loop()

    async def measure() -> None:
        while True:
            due = loop.time() + _INTERVAL
            await asyncio.sleep(_INTERVAL)
            lag.observe(max(0.0, loop.time() - due))

    async with in_background(measure(), "event loop lag"):
        yield
