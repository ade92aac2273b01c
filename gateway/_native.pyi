# ruff: noqa: PYI021 - the module is compiled: its documentation is here or nowhere
"""The image core, compiled from `native/`: headers, limits, request bodies and pixels.

Functions take `bytes` only: they release the GIL, and what they read must not change meanwhile.
"""

from typing import Final, Literal, final

import numpy as np
import numpy.typing as npt

MIN_SIDE: Final = 15
"""Least side that the recognition service accepts, in pixels."""
MAX_SIDE: Final = 4096
"""Greatest side that it accepts, in pixels."""
MAX_BASE64: Final = 10485760
"""Greatest length of an image in base64 that it accepts, in characters: 7 864 320 bytes."""

class ImageError(ValueError):
    """An image was refused."""

    kind: Literal[
        "empty",
        "unrecognised",
        "unsupported_format",
        "truncated",
        "damaged",
        "dimensions_out_of_range",
        "encoded_too_large",
        "too_many_pixels",
        "cannot_fit",
        "conversion_needed",
    ]
    """What is wrong, for callers that branch on it."""
    message: str
    """What is wrong, for people: the text of the exception."""
    measured: str
    """What was found, with its unit."""
    allowed: str
    """What would have been accepted; empty where no bound can be named."""

@final
class ImageInfo:
    """What the headers of an image say. Immutable and hashable; compares by value."""

    @property
    def format(self) -> Literal["jpeg", "png", "bmp", "webp"]: ...
    @property
    def encoding(self) -> str:
        """Variant of the format, such as `progressive`, `interlaced`, `rle8` or `lossless`."""
    @property
    def width(self) -> int:
        """Stored width in pixels, before orientation."""
    @property
    def height(self) -> int:
        """Stored height in pixels, before orientation."""
    @property
    def display_width(self) -> int:
        """Width in pixels once the orientation is applied."""
    @property
    def display_height(self) -> int:
        """Height in pixels once the orientation is applied."""
    @property
    def bit_depth(self) -> int:
        """Bits per sample, 1 to 32: of a palette's index, or of the widest channel."""
    @property
    def color(self) -> Literal["grey", "rgb", "palette", "ycbcr", "cmyk", "ycck", "other"]:
        """What the stored samples mean; alpha is told apart by `has_alpha`."""
    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 1 where the file names none."""
    @property
    def has_alpha(self) -> bool:
        """Whether the file declares transparency."""
    @property
    def is_animated(self) -> bool:
        """Whether the file declares an animation."""

def probe(data: bytes, /) -> ImageInfo:
    """Read what the headers of `data` say, without decoding it. Raises `ImageError`."""

def validate(data: bytes, /, *, min_side: int = 15, max_side: int = 4096, max_base64: int = 10485760) -> ImageInfo:
    """Check all that can be checked of `data` without decoding it. Sides are in pixels, `max_base64` in characters.

    Raises `ImageError` for the fault that helps most: no data, the wrong format, the wrong dimensions, too large, cut
    short or damaged, in that order.
    """

def request_body(image: bytes, fields: str, /) -> bytes:
    """Write `{"image":"<base64 of image>", ...}`, with the members of the JSON object `fields` after the image.

    `fields` is copied as it is: that it is valid JSON without a member `image` is for the caller to see to. Raises
    `ValueError` where it is not in braces.
    """

def base64_length(n: int, /) -> int:
    """Length of `n` bytes in padded base64, in characters."""

def decode_rgb(data: bytes, /) -> npt.NDArray[np.uint8]:
    """Decode `data` into an array of height × width × 3: rows, columns, RGB of 0 to 255. Nothing is copied on the way.

    The orientation is applied, transparency is composited on white, and of an animation it is the first frame. Colour
    profiles are not applied, and damage to a JPEG's entropy-coded data is passed over. Sides may be 1 to `MAX_SIDE`.
    Raises `ImageError`.
    """

@final
class Policy:
    """What an operation takes, and what may be done to an image to make it fit. Immutable; compares by value.

    Sides are in pixels, `max_base64` in characters. `target_side`: wide side wanted, 0 for `max_side`. `max_pixels`: the
    most that are decoded. Raises `ValueError` for what is out of range.
    """

    def __init__(
        self,
        *,
        formats: list[str] = ...,
        min_side: int = 15,
        max_side: int = 4096,
        max_base64: int = 10485760,
        target_side: int = 0,
        max_pixels: int = 100000000,
        fit: bool = True,
        shrink: bool = True,
        rotate: bool = True,
        convert: str = "needed",
        strip: bool = True,
        full_decode: bool = False,
        alpha: str = "white",
        output: str = "auto",
        quality: int = 90,
    ) -> None: ...

@final
class Plan:
    """What has to be done to an image."""

    @property
    def info(self) -> ImageInfo: ...
    @property
    def width(self) -> int:
        """Stored width that it is to have, in pixels."""
    @property
    def height(self) -> int:
        """Stored height that it is to have, in pixels."""
    @property
    def conversions(self) -> list[str]:
        """What about it is converted, as far as headers tell, such as `CMYK` or `alpha`."""
    @property
    def changes_pixels(self) -> bool:
        """Whether it has to be written anew, whatever its metadata."""
    @property
    def is_too_long(self) -> bool:
        """Whether it is too long in base64; without its metadata it may fit."""
    @property
    def memory(self) -> int:
        """About as many bytes as preparing it takes at the most."""

@final
class Prepared:
    """A file to send, and what was done to get there."""

    @property
    def info(self) -> ImageInfo:
        """What the headers of the given file say."""
    @property
    def data(self) -> bytes | None:
        """The file to send; None if that is the given one."""
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int:
        """Stored width of the file to send, in pixels."""
    @property
    def height(self) -> int:
        """Stored height of the file to send, in pixels."""
    @property
    def orientation(self) -> int:
        """EXIF orientation of the file to send."""
    @property
    def actions(self) -> list[tuple[str, str]]:
        """What was done, in order: fit, convert, rotate, shrink or strip_metadata, and the particulars."""

def plan(data: bytes, policy: Policy, /) -> Plan:
    """Decide what has to be done to `data`, from its headers. Raises `ImageError` for what cannot be made fit."""

def prepare(data: bytes, policy: Policy, /) -> Prepared:
    """Make `data` fit. Waits for its share of the memory that `set_memory_limit` allows. Raises `ImageError`."""

def prepare_array(data: bytes, policy: Policy, /) -> tuple[npt.NDArray[np.uint8], Prepared]:
    """Make `data` fit, and give the pixels that would be written: an array of height × width × 3, RGB, 0 to 255, which owns
    them; nothing is copied. `Prepared.data` is None. Transparency is composited on white. Raises `ImageError`."""

def prepare_pixels(pixels: bytes, width: int, height: int, policy: Policy, /, *, what: str, size: int) -> Prepared:
    """Make upright pixels fit that were decoded from a file of `size` bytes: `what`, such as `GIF`.

    `pixels`: height × width × 3 or 4 samples, RGB or RGBA, 0 to 255. Raises `ImageError`, and `ValueError` for another number.
    """

def encode(pixels: bytes, width: int, height: int, /, *, format: Literal["jpeg", "png"], quality: int = 95) -> bytes:  # noqa: A002
    """Write height × width × 3 samples, RGB, 0 to 255, as a file: a baseline JPEG with chroma at full resolution and tables of
    `quality` (1 to 100), or a PNG. Raises `ValueError` for another number of samples, and for what the format cannot hold."""

def set_memory_limit(limit: int, /) -> None:
    """Bound the bytes that all decodes in flight take together, by their headers; what exceeds it waits. Default: 1 GiB."""

def memory() -> tuple[int, int]:
    """The bound on decodes in flight, and how much of it is taken, in bytes."""
