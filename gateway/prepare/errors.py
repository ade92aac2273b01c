"""Preparation: a picture's bytes in, a picture that fits the operation's limits out, or a precise reason why not."""

from typing import Final

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, PreparedImage

_REASONS: Final = {
    "empty": Reason.IMAGE_EMPTY,
    "unrecognised": Reason.IMAGE_FORMAT_UNSUPPORTED,
    "unsupported_format": Reason.IMAGE_FORMAT_UNSUPPORTED,
    "truncated": Reason.IMAGE_DAMAGED,
    "damaged": Reason.IMAGE_DAMAGED,
    "dimensions_out_of_range": Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
    "encoded_too_large": Reason.IMAGE_TOO_LARGE,
}
"""The native core's kinds of error."""


def prepare(data: bytes) -> PreparedImage:
    """Check `data` against the limits of image tagging: JPEG, PNG, BMP or WEBP; sides 15 to 4096 px; base64 of at most
    10 485 760 characters; complete. Raises `GatewayError`.

    Reads headers and hops over the rest: cheaper than a hop to a thread (`make bench`), whatever the picture's size, and
    bounded for hostile files, so call it where you stand.
    """
    try:
        info = _native.validate(data)
    except _native.ImageError as error:
        raise image_error(error) from error
    facts = ImageFacts(
        format=info.format, width=info.width, height=info.height, orientation=info.orientation, size_bytes=len(data)
    )
    return PreparedImage(data=data, facts=facts)


def image_error(error: _native.ImageError) -> GatewayError:
    """The public form of a complaint of the native core."""
    return GatewayError(_REASONS[error.kind], error.message, field="content", measured=error.measured, allowed=error.allowed)
