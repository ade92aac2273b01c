"""Which engine enhances a picture, by the kind of its parameters."""

from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.dark_enhance import enhance_dark
from gateway.engines.defog import defog
from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.super_resolution import SuperResolution
from gateway.errors import GatewayError, Reason
from gateway.media import DarkEnhanceParameters, DefogParameters, EnhancementParameters, ImageFacts, UpscaleParameters

MAX_SIDE: Final = 4096
"""The longest side that is enhanced, in pixels: the contract's. Larger pictures are fitted to it first."""

MAX_UPSCALED_PIXELS: Final = 64_000_000
"""Most pixels of an enlarged picture: as many bytes times three are in memory at once, and again as its file is written."""


class EnhancementEngine:
    """Enhances pictures. Thread-safe, without state after construction."""

    def __init__(self) -> None:
        """Load the networks. Raises `ValueError` if a data file is damaged."""
        self._super_resolution = SuperResolution()
        defog(np.zeros((16, 16, 3), dtype=np.uint8))  # reads its weights

    def enhance(
        self, pixels: npt.NDArray[np.uint8], parameters: EnhancementParameters, checkpoint: Checkpoint = never_cancelled
    ) -> npt.NDArray[np.uint8]:
        """Do to `pixels` (height × width × 3, RGB, 0 to 255) what `parameters` say. Returns such an array; larger if upscaled."""
        match parameters:
            case DarkEnhanceParameters():
                return enhance_dark(pixels, brightness=parameters.brightness, checkpoint=checkpoint)
            case DefogParameters():
                return defog(pixels, gamma=parameters.gamma, natural_look=parameters.natural_look, checkpoint=checkpoint)
            case UpscaleParameters():
                return self._super_resolution.upscale(
                    pixels, scale=parameters.scale, model=parameters.model.value, checkpoint=checkpoint
                )


def check_size(facts: ImageFacts, parameters: EnhancementParameters) -> None:
    """Raise `GatewayError` for a picture whose result would be too large, or, since it is fitted first, not as large as asked."""
    if not isinstance(parameters, UpscaleParameters):
        return
    most = MAX_UPSCALED_PIXELS // parameters.scale**2
    if facts.width * facts.height > most:
        allowed = f"at most {most} pixels"
    elif max(facts.width, facts.height) > MAX_SIDE:
        allowed = f"sides of at most {MAX_SIDE} px"
    else:
        return
    raise GatewayError(
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        f"the picture has {facts.width}x{facts.height} px; to be enlarged {parameters.scale} times it must have {allowed}",
        field="content",
        measured=f"{facts.width}x{facts.height} px",
        allowed=allowed,
    )
