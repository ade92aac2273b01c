"""Settings of preparation."""

import os
from typing import Literal

from pydantic import Field

from gateway.prepare.options import Convert, PrepareOptions
from gateway.settings import Settings


def _default_workers() -> int:
    return len(os.sched_getaffinity(0))


class PrepareSettings(Settings):
    """What preparation may do to pictures that callers send for recognition, and how much of the machine it may use."""

    workers: int = Field(
        default_factory=_default_workers,
        ge=1,
        le=256,
        description="Pictures prepared at once; the default is the number of CPUs.",
        json_schema_extra={"reason": "preparing is work for the CPU alone"},
    )
    memory: int = Field(
        1 << 30,
        ge=64 << 20,
        le=1 << 40,
        description="Bytes that all decodes in flight may take together; what exceeds it waits.",
        json_schema_extra={"reason": "several of the largest pictures at once"},
    )
    max_pixels: int = Field(
        100_000_000,
        ge=1_000_000,
        le=1_000_000_000,
        description="Most pixels of a picture that is decoded, by its header.",
        json_schema_extra={"reason": "above any camera of the day; decoded some 300 MB"},
    )
    fit: bool = Field(
        True,
        description="Scale down pictures whose sides are over the operation's limit; otherwise refuse them.",
        json_schema_extra={"reason": "a picture that is too large would only be refused"},
    )
    shrink: bool = Field(
        True,
        description="Write files anew that are over the operation's limit; otherwise refuse them.",
        json_schema_extra={"reason": "likewise for a file"},
    )
    convert: Literal["never", "needed", "always"] = Field(
        "needed",
        description="Colour modes that are converted to plain sRGB: none, those that not every decoder takes, or all others.",
        json_schema_extra={"reason": "leaves alone what every decoder takes"},
    )
    strip_metadata: bool = Field(
        True,
        description="Remove EXIF (GPS), XMP, IPTC, comments and previews, losslessly, before a picture is sent on.",
        json_schema_extra={"reason": "where a picture was taken is nobody's business"},
    )
    full_decode: bool = Field(
        False,
        description="Decode every picture before it is sent, to find damage that headers do not show.",
        json_schema_extra={"reason": "costs as much as decoding, and damage is rare"},
    )
    max_side: int | None = Field(
        None,
        ge=15,
        le=4096,
        description="Wide side in pixels to scale down to; the default is the operation's limit.",
        examples=[2048],
    )
    quality: int = Field(
        90,
        ge=1,
        le=100,
        description="Quality of JPEG tried first for what is written anew.",
        json_schema_extra={"reason": "no difference that recognition would see"},
    )
    allow_other_formats: bool = Field(
        False,
        description="Convert formats that the operations do not take (GIF, TIFF …), unless `convert` is never; needs the extra "
        "`breadth`.",
        json_schema_extra={"reason": "decoders written in C read what strangers send; that is to be decided, not had by default"},
    )

    def options(self) -> PrepareOptions:
        """The repairs that pictures sent for recognition may get."""
        return PrepareOptions(
            fit=self.fit,
            shrink=self.shrink,
            convert=Convert(self.convert),
            strip_metadata=self.strip_metadata,
            full_decode=self.full_decode,
            allow_other_formats=self.allow_other_formats,
            max_side=self.max_side,
            quality=self.quality,
        )
