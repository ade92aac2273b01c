"""Settings of the local engines."""

import os
from pathlib import Path

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
        description="Pictures and recordings worked on at once; the default is the number of CPUs. While they are enhanced, the "
        "largest pictures take about half a GB each.",
        json_schema_extra={"reason": "the engines are work for the CPU alone"},
    )
    music_index: Path | None = Field(
        None,
        description="Catalogue of music, as `image-gateway music index` writes it; without one, a few shipped tunes.",
        examples=["/var/lib/image-gateway/catalogue.index"],
    )
