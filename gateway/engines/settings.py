"""Settings of the local engines."""

import os

from pydantic import Field

from gateway.settings import Settings


def _default_workers() -> int:
    return len(os.sched_getaffinity(0))


class LocalSettings(Settings):
    """How much of the machine the local engines may use."""

    workers: int = Field(
        default_factory=_default_workers,
        ge=1,
        le=256,
        description="Pictures recognised at once; the default is the number of CPUs.",
    )
