# ruff: noqa: PYI021 - the module is compiled: its documentation is here or nowhere
"""The image core, compiled from `native/`: headers, limits, request bodies and pixels.

Functions take `bytes` only: they release the GIL, and what they read must not change meanwhile.
"""

from typing import Final, Literal, final

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

def decode_rgb(data: bytes, /) -> tuple[int, int, bytes]:
    """Decode `data` into its width, its height and height * width * 3 samples of interleaved RGB, 0 to 255.

    The orientation is applied, transparency is composited on white, and of an animation it is the first frame. Colour
    profiles are not applied. Sides may be 1 to `MAX_SIDE`. Raises `ImageError`.
    """

def classifier_input(data: bytes, /, *, resize: int, crop: int) -> bytes:
    """Decode `data`, scale its short side to `resize` px (bicubic, antialiased) and take the square of `crop` px at its
    centre: crop * crop * 3 samples of interleaved RGB, 0 to 255.

    Raises `ImageError`, and `ValueError` unless 1 <= crop <= resize <= 4096.
    """
