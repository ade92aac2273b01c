"""What gateway and worker say to each other: frames of a JSON object and a payload.

The worker speaks first (`hello`), then answers each request, a picture's file, by its pixels or by what went wrong.
"""

import json
import struct
from enum import StrEnum, unique
from typing import Any, Final

PREFIX: Final = struct.Struct("!IQ")
"""Before each frame: the lengths of its JSON object and of its payload, in bytes."""

MAX_HEADER: Final = 1 << 16
"""Greatest length of a JSON object, in bytes."""

MAX_TOLD: Final = (1 << 63) - 1
"""Greatest number of pixels that a refusal names; headers may claim more."""

EXIT_MEMORY: Final = 70
"""Exit status of a worker that had too little memory left to say so."""


@unique
class Format(StrEnum):
    """A format that a worker may be asked to decode. There is no other way to reach a decoder."""

    GIF = "gif"
    TIFF = "tiff"
    BMP = "bmp"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


@unique
class Note(StrEnum):
    """Something that was done to a picture and that its pixels do not show."""

    FIRST_FRAME = "first_frame"
    """There are several frames or pages; this is the first."""

    UPRIGHT = "upright"
    """Turned or mirrored, as the file's orientation asks."""

    REDUCED = "reduced"
    """16 (or 12) bits per sample were scaled to 8."""

    STRETCHED = "stretched"
    """Samples without a defined white (signed, 32 bits, floating point) were stretched from their least to their greatest."""

    PROFILE = "profile"
    """Converted to sRGB by the file's colour profile."""

    PROFILE_IGNORED = "profile_ignored"
    """The file's colour profile is damaged, for another colour space, or there is nothing here to apply it with."""

    CMYK = "cmyk"
    """Converted from CMYK without a profile; colours are approximate."""


@unique
class Failure(StrEnum):
    """Why there are no pixels."""

    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    PIXELS = "pixels"
    MEMORY = "memory"
    BROKEN = "broken"
    """The worker itself does not work as it should."""


_MAGIC: Final = (
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),  # BigTIFF
    (b"MM\0+", Format.TIFF),
    (b"BM", Format.BMP),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"\xff\xd8\xff", Format.JPEG),
)


def recognise(data: bytes) -> Format | None:
    """The format of a file by its first bytes; None for any that is not in the list."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def frame_head(header: dict[str, Any], payload_length: int) -> bytes:
    """All of a frame but its payload."""
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return PREFIX.pack(len(encoded), payload_length) + encoded
