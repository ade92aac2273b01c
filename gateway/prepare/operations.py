"""What each operation takes (contract, section 3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Operation(StrEnum):
    """An operation that pictures are sent to."""

    TAGGING = "tagging"
    DARK_ENHANCE = "dark_enhance"
    DEFOG = "defog"
    SUPER_RESOLUTION = "super_resolution"


@dataclass(frozen=True, slots=True)
class Limits:
    """Sides in pixels, inclusive; length of the file in base64, in characters."""

    formats: tuple[str, ...] = ("jpeg", "png", "bmp", "webp")
    min_side: int = 15
    max_side: int = 4096
    max_base64: int = 10_485_760


# Sections 3.3 to 3.5 name no sides for enhancement; error AIS.0504 states the same ones for the whole service.
LIMITS: Final = {
    Operation.TAGGING: Limits(),
    Operation.DARK_ENHANCE: Limits(),
    Operation.DEFOG: Limits(),
    Operation.SUPER_RESOLUTION: Limits(formats=("jpeg", "png", "bmp")),
}
