"""From a file to the pixels that the engines compute on, and back to a file."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from gateway import _native
from gateway.image_error import image_error
from gateway.media import ImageFacts

_QUALITY: Final = 95
"""Of JPEG: what an engine did is not to be lost again, and above this files grow faster than they improve."""

_LOSSY: Final = frozenset({"jpeg", "webp"})


def decoded(data: bytes, *, max_side: int, max_pixels: int) -> tuple[npt.NDArray[np.uint8], ImageFacts]:
    """Decode `data`, fitted into a square of `max_side` px (a JPEG at a reduced size where that will do).

    Returns height × width × 3, RGB, 0 to 255, upright, in sRGB, transparency on white; and facts of these pixels. Waits for its
    share of the memory for decodes. Raises `GatewayError` for what cannot be decoded, or has more than `max_pixels`.
    """
    policy = _native.Policy(max_side=max_side, min_side=1, max_pixels=max_pixels, convert="always", shrink=False)
    try:
        pixels, prepared = _native.prepare_array(data, policy)
    except _native.ImageError as error:
        raise image_error(error) from error
    facts = ImageFacts(format=prepared.format, width=prepared.width, height=prepared.height, orientation=1, size_bytes=len(data))
    return pixels, facts


def encoded(pixels: npt.NDArray[np.uint8], source_format: str) -> tuple[bytes, ImageFacts]:
    """Write `pixels` (height × width × 3, RGB) as what suits a picture that came as `source_format`: JPEG of quality 95 for
    those that lose (JPEG, WEBP), PNG for those that do not (PNG, BMP). Returns the file and its facts."""
    height, width = pixels.shape[:2]
    written: Literal["jpeg", "png"] = "jpeg" if source_format in _LOSSY else "png"
    data = _native.encode(pixels.tobytes(), width, height, format=written, quality=_QUALITY)
    return data, ImageFacts(format=written, width=width, height=height, orientation=1, size_bytes=len(data))
