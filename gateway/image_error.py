"""The native core's complaints as the gateway's."""

from typing import Final

from gateway import _native
from gateway.errors import GatewayError, Reason

REASONS: Final = {
    "empty": Reason.IMAGE_EMPTY,
    "unrecognised": Reason.IMAGE_FORMAT_UNSUPPORTED,
    "unsupported_format": Reason.IMAGE_FORMAT_UNSUPPORTED,
    "conversion_needed": Reason.IMAGE_FORMAT_UNSUPPORTED,
    "truncated": Reason.IMAGE_DAMAGED,
    "damaged": Reason.IMAGE_DAMAGED,
    "dimensions_out_of_range": Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
    "cannot_fit": Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
    "too_many_pixels": Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
    "encoded_too_large": Reason.IMAGE_TOO_LARGE,
}
"""The native core's kinds of error."""


def image_error(error: _native.ImageError) -> GatewayError:
    """The public form of a complaint of the native core."""
    return GatewayError(REASONS[error.kind], error.message, field="content", measured=error.measured, allowed=error.allowed)
