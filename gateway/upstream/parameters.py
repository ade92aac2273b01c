"""Parameters of the operations that only the cloud has (the vendor's SDK); those of the others are in `gateway.media`."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.errors import GatewayError, Reason
from gateway.media import Language


@dataclass(frozen=True, slots=True)
class MediaTaggingParameters:
    """Which tags are wanted of media tagging.

    `threshold`: percent, 0 to 100. `limit`: 1 to 150. Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    MAX_LIMIT: ClassVar[int] = 150

    language: Language = Language.ZH
    threshold: float = 0.0
    limit: int = 10

    def __post_init__(self) -> None:
        _check_range("threshold", self.threshold, 0, 100)
        _check_range("limit", self.limit, 1, self.MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class MediaDetectionParameters(MediaTaggingParameters):
    """Which tags with places are wanted of media tagging with detection: as of media tagging, with `limit` 1 to 50."""

    MAX_LIMIT: ClassVar[int] = 50

    threshold: float = 20.0


@dataclass(frozen=True, slots=True)
class MainObjectParameters:
    """`threshold`: percent, 0 to 100; what is less sure is left out. Raises `GatewayError` with `INVALID_ARGUMENT`."""

    threshold: float = 30.0

    def __post_init__(self) -> None:
        _check_range("threshold", self.threshold, 0, 100)


@dataclass(frozen=True, slots=True)
class CelebrityParameters:
    """`threshold`: 0 to 1; faces that are less sure are left out. Raises `GatewayError` with `INVALID_ARGUMENT`."""

    threshold: float = 0.9

    def __post_init__(self) -> None:
        _check_range("threshold", self.threshold, 0, 1)


@dataclass(frozen=True, slots=True)
class RecaptureParameters:
    """`threshold`: 0 to 1, from which on a picture counts as one thing or the other. The service takes its default for
    anything else; here it raises `GatewayError` with `INVALID_ARGUMENT`."""

    threshold: float = 0.95

    def __post_init__(self) -> None:
        _check_range("threshold", self.threshold, 0, 1)


@dataclass(frozen=True, slots=True)
class MusicParameters:
    """None: music recognition has no parameters."""


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also true for NaN
        allowed = f"{low:g} to {high:g}"
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"{field} is {value:g}; it must be {allowed}",
            field=field,
            measured=f"{value:g}",
            allowed=allowed,
        )
