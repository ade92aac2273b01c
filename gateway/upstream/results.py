"""What only the cloud's operations result in: frozen values, as in `gateway.media`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.media import Box, ImageFacts


class Picture(NamedTuple):
    """A picture that was made: the bytes of its file, and what its header says."""

    data: bytes
    facts: ImageFacts


class MainObjectLabel(StrEnum):
    """What a box of main object detection is around."""

    OBJECT = "bounding_box"
    """One object."""
    ALL = "main_object_box"
    """All that the picture is about."""


@dataclass(frozen=True, slots=True)
class MainObject:
    """A place that the picture is about; confidence in percent."""

    label: MainObjectLabel
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Celebrity:
    """A known face; confidence 0 to 1."""

    name: str
    face: Box
    confidence: float


class Authenticity(StrEnum):
    """Whether a picture was taken of the thing itself."""

    GENUINE = "true"
    RECAPTURED = "false"
    UNCERTAIN = "uncertainty"


@dataclass(frozen=True, slots=True)
class Recapture:
    """Whether a picture is one of a picture. `category`: an open set, empty if it is genuine; `score`: confidence, 0 to 1;
    `details`: labels (`original`, `recapture`) and their confidences, 0 to 1."""

    authenticity: Authenticity
    category: str
    score: float
    details: tuple[tuple[str, float], ...] = ()
