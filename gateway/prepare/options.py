"""What a caller may choose about preparation."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.prepare.operations import LIMITS, Operation


class Convert(StrEnum):
    """Which pictures are converted to plain sRGB of 8 bits, although they might be sent as they are."""

    NEVER = "never"
    """None: one that needs it is refused, and so is any format that no operation takes, allowed or not."""
    NEEDED = "needed"
    """CMYK, more than 8 bits, grey with alpha, animated WEBP, rare JPEG processes, formats that the operation does not take."""
    ALWAYS = "always"
    """Also palettes, transparency and colour profiles other than sRGB."""


class Alpha(StrEnum):
    """What becomes of transparency in a picture that is written anew."""

    WHITE = "white"
    """It is composited on white."""
    KEEP = "keep"
    """It is kept; the result is then PNG. Contradicts `OutputFormat.JPEG`."""


class OutputFormat(StrEnum):
    """What a picture that is written anew is written as."""

    AUTO = "auto"
    """JPEG; PNG if it keeps its transparency."""
    JPEG = "jpeg"
    PNG = "png"


MAX_SIDE_RANGE = (15, 4096)
QUALITY_RANGE = (1, 100)
MAX_BYTES_RANGE = (1024, 7_864_320)


def _check(name: str, value: int | None, allowed: tuple[int, int]) -> None:
    low, high = allowed
    if value is not None and not low <= value <= high:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"options.{name} is {value}; it must be {low} to {high}",
            field=f"options.{name}",
            measured=str(value),
            allowed=f"{low} to {high}",
        )


@dataclass(frozen=True, slots=True)
class PrepareOptions:
    """Which repairs are allowed, and what is wanted.

    Raises `GatewayError` with `INVALID_ARGUMENT` for a value that is out of range, and for transparency kept in JPEG.
    """

    fit: bool = True
    """Scale down what is larger than the operation allows, or than `max_side`."""
    shrink: bool = True
    """Write anew, in lower quality or size, what is too long in base64."""
    rotate: bool = True
    """Turn upright (EXIF) whatever is written anew; otherwise it keeps its orientation. The pixels of formats that no operation
    takes always come upright."""
    convert: Convert = Convert.NEEDED
    strip_metadata: bool = True
    """Remove EXIF, XMP, IPTC, comments and previews without touching the picture. What is written anew has none anyway."""
    full_decode: bool = False
    """Decode even what is passed on untouched: finds damage within the compressed data."""
    allow_other_formats: bool = False
    """Convert formats that no operation takes (GIF, TIFF …), unless `convert` is never; needs the extra `breadth`."""
    alpha: Alpha = Alpha.WHITE
    output_format: OutputFormat = OutputFormat.AUTO
    max_side: int | None = None
    """Wide side wanted, 15 to 4096 px, for less to send; None: what the operation allows."""
    max_bytes: int | None = None
    """Length of file wanted, 1024 to 7 864 320 bytes; None: what the operation allows."""
    quality: int = 90
    """Of JPEG, 1 to 100: what is tried first, unless the file given is of a lower one."""

    def __post_init__(self) -> None:
        _check("max_side", self.max_side, MAX_SIDE_RANGE)
        _check("max_bytes", self.max_bytes, MAX_BYTES_RANGE)
        _check("quality", self.quality, QUALITY_RANGE)
        if self.alpha is Alpha.KEEP and self.output_format is OutputFormat.JPEG:
            raise GatewayError(
                Reason.INVALID_ARGUMENT,
                "options.alpha is keep, but options.output_format is jpeg, which has no transparency",
                field="options.alpha",
                measured="keep",
                allowed="white",
            )


UNTOUCHED = PrepareOptions(fit=False, shrink=False, rotate=False, strip_metadata=False)
"""Repairs nothing, for those who decode here: what is over the limits of sides or length is refused by `Preparer.check`,
whatever its colours. That its colours would have to be converted refuses nothing, since whoever decodes here reads them."""


@lru_cache(maxsize=1024)
def policy(operation: Operation, options: PrepareOptions, max_pixels: int) -> _native.Policy:
    """The native form of an operation's limits and a caller's options."""
    limits = LIMITS[operation]
    max_base64 = limits.max_base64
    if options.max_bytes is not None:
        max_base64 = min(max_base64, _native.base64_length(options.max_bytes))
    return _native.Policy(
        formats=list(limits.formats),
        min_side=limits.min_side,
        max_side=limits.max_side,
        max_base64=max_base64,
        target_side=options.max_side or 0,
        max_pixels=max_pixels,
        fit=options.fit,
        shrink=options.shrink,
        rotate=options.rotate,
        convert=options.convert.value,
        strip=options.strip_metadata,
        full_decode=options.full_decode,
        alpha=options.alpha.value,
        output=options.output_format.value,
        quality=options.quality,
    )
