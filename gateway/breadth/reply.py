"""What a worker's answer means: a picture, or a `GatewayError`.

The worker may have been taken over by the file that it decoded, so its answer is checked like a stranger's, and nothing of
its wording reaches callers.
"""

import logging
from dataclasses import dataclass
from typing import Annotated, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from gateway.breadth.worker.wire import MAX_TOLD, Failure, Format, Note
from gateway.errors import GatewayError, Reason

_log = logging.getLogger(__name__)

EXTRA_HINT = "install the gateway's extra `breadth`"


@dataclass(frozen=True, slots=True)
class ForeignImage:
    """A decoded picture: upright, in sRGB, `height` × `width` × 3 or 4 samples of 8 bits, rows from the top.

    The fourth, if there is one, is alpha, not premultiplied. `orientation` is what the file asked for (EXIF, 1 to 8) and
    is applied already; `notes` is what else was done, in order.
    """

    width: int
    height: int
    pixels: bytes
    format: str
    orientation: int = 1
    notes: tuple[Note, ...] = ()


_Text = Annotated[str, Field(max_length=100)]


def _each_once(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    if len(set(notes)) != len(notes):
        msg = "a note twice"
        raise ValueError(msg)
    return notes


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Hello(_Strict):
    """What a worker says of itself: which `PIL` it runs, with which features, and whether its system calls are filtered."""

    version: _Text
    features: tuple[_Text, ...] = Field(max_length=20)
    sealed: bool


class Missing(_Strict):
    """A worker's interpreter has no `PIL`."""

    missing: _Text


class Decoded(_Strict):
    """The header before pixels."""

    width: int = Field(ge=1, le=1 << 31)
    height: int = Field(ge=1, le=1 << 31)
    channels: Literal[3, 4]
    orientation: int = Field(ge=1, le=8)
    notes: Annotated[tuple[Note, ...], Field(max_length=len(Note)), AfterValidator(_each_once)]

    @property
    def payload(self) -> int:
        """The number of bytes that must follow."""
        return self.width * self.height * self.channels


class Failed(_Strict):
    """There are no pixels. `cause` is for the log alone."""

    failure: Failure
    pixels: int = Field(0, ge=0, le=MAX_TOLD)
    cause: Annotated[str, Field(max_length=1000)] = ""
    payload: Literal[0] = 0


greeting = TypeAdapter[Hello | Missing](Hello | Missing)
answer = TypeAdapter[Decoded | Failed](Decoded | Failed)


def refuse(failed: Failed, kind: Format, *, max_pixels: int, memory: int) -> NoReturn:
    """Raise what `failed` means to the caller who sent a file of format `kind`."""
    name = kind.upper()
    _log.info("a %s file was not decoded: %s %s", name, failed.failure, ascii(failed.cause))
    match failed.failure:
        case Failure.PIXELS:
            raise GatewayError(
                Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
                f"the {name} picture has more pixels than are decoded; send a smaller one",
                field="content",
                measured=f"{failed.pixels} pixels",
                allowed=f"at most {max_pixels} pixels",
            )
        case Failure.MEMORY:
            raise over_limit(kind, "memory", f"{memory >> 20} MiB")
        case Failure.UNSUPPORTED:
            raise GatewayError(
                Reason.IMAGE_FORMAT_UNSUPPORTED,
                f"this variant of {name} cannot be decoded here; convert it to JPEG or PNG",
                field="content",
                measured=kind,
            )
        case Failure.DAMAGED:
            raise GatewayError(
                Reason.IMAGE_DAMAGED, f"the {name} file is damaged or cut short and could not be decoded", field="content"
            )
        case Failure.BROKEN:
            raise GatewayError(Reason.INTERNAL, "the decoder for rarer formats does not work")


def over_limit(kind: Format, resource: str, allowed: str) -> GatewayError:
    """The refusal of a picture within the pixel budget that takes more than any honest one does."""
    return GatewayError(
        Reason.IMAGE_REJECTED,
        f"decoding the {kind.upper()} picture takes more {resource} than is allowed; convert it to JPEG or PNG",
        field="content",
        measured=f"more {resource}",
        allowed=f"at most {allowed}",
    )
