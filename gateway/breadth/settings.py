"""Settings of the processes that decode rarer formats."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.breadth.worker.wire import Format
from gateway.settings import Settings


def _check_formats(formats: str) -> str:
    names = formats.split(",")
    if not set(names) <= set(Format):
        msg = f"must be names out of {', '.join(Format)}, with commas between them and no spaces"
        raise ValueError(msg)
    return formats


class BreadthSettings(Settings):
    """Which pictures go to the decoders written in C, and what those may use."""

    formats: Annotated[str, AfterValidator(_check_formats)] = Field(
        ",".join(Format),
        description="Formats that may be decoded, with commas between them; for any other, no decoder is ever started.",
        json_schema_extra={"reason": "all that the decoders are tested with"},
    )
    python: Path | None = Field(
        None,
        description="Interpreter of an environment that holds Pillow-SIMD or Pillow. Without it, the gateway's own is used, "
        "with whichever of the two its environment holds.",
        examples=["/opt/breadth/bin/python"],
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Pictures decoded at once, each by a process of its own.",
        json_schema_extra={"reason": "rarer formats are rare"},
    )
    pictures_per_worker: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="A process is replaced after so many; 1 means that no two pictures share one.",
        json_schema_extra={"reason": "bounds what a leak or a picture that harmed the process can do"},
    )
    timeout: Annotated[float, Field(gt=0, le=300)] = Field(
        10.0,
        description="Seconds for decoding one picture, waiting for a process not included.",
        json_schema_extra={"reason": "no honest picture takes as long"},
    )
    memory: int = Field(
        1 << 30,
        ge=256 << 20,
        le=64 << 30,
        description="Bytes of address space that a process may use (RLIMIT_AS).",
        json_schema_extra={"reason": "the largest picture allowed, and what decoding takes beside it"},
    )

    def allowed_formats(self) -> frozenset[Format]:
        """`formats`, taken apart."""
        return frozenset(map(Format, self.formats.split(",")))
