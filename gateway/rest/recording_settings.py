"""Settings of record and replay."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.settings import Settings


class RecordSettings(Settings):
    """Calls of operations that are written to files, and answered from them, for testing clients."""

    mode: Literal["off", "record", "replay", "replay-or-record"] = Field(
        "off",
        description="Write answers to files, answer from files only, or answer from files and compute and write the rest.",
        json_schema_extra={"reason": "for tests of clients only"},
    )
    folder: Path | None = Field(
        None,
        description="Folder of the files; needed unless `mode` is `off`. Made when recording.",
        examples=["/var/lib/image-gateway/recorded"],
    )
    max_files: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most files in the folder; nothing is written beyond that.",
        json_schema_extra={"reason": "a test suite's calls"},
    )
    max_bytes: int = Field(
        1 << 30,
        ge=1 << 16,
        le=1 << 44,
        description="Most bytes of all files in the folder, likewise.",
        json_schema_extra={"reason": "likewise"},
    )

    @model_validator(mode="after")
    def _needs_folder(self) -> Self:
        if self.mode != "off" and self.folder is None:
            msg = f"folder: mode is {self.mode!r}, which needs one"
            raise ValueError(msg)
        return self
