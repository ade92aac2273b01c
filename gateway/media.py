"""The values that pass between the rooms: pictures in, tags out. Frozen, transport-free, without behaviour to speak of."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from gateway.errors import GatewayError, Reason

MAX_URI_CHARS: Final = 4096


class Language(StrEnum):
    """A language of tag names."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text in both languages; an empty string where a provider gave none."""

    zh: str = ""
    en: str = ""

    def in_language(self, language: Language) -> str:
        """Return the text in `language`, or in the other one if that is missing."""
        first, second = (self.zh, self.en) if language is Language.ZH else (self.en, self.zh)
        return first or second


@dataclass(frozen=True, slots=True)
class ImageContent:
    """A picture as the bytes of its file."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ImageUri:
    """A picture as the URL it can be downloaded from: HTTP or HTTPS, at most 4096 characters, no user name or password.

    Raises `GatewayError` with `URI_INVALID` for anything else. The message does not repeat the URL, which may be signed.
    """

    uri: str

    def __post_init__(self) -> None:
        if len(self.uri) > MAX_URI_CHARS:
            raise _unusable(f"it is {len(self.uri)} characters long; at most {MAX_URI_CHARS} are allowed")
        if not self.uri.isprintable() or " " in self.uri:
            raise _unusable("it holds spaces or control characters")
        try:
            parts = urlsplit(self.uri)
            host = parts.hostname
            _ = parts.port  # raises for a port that is none
        except ValueError as error:
            raise _unusable("it is malformed") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise _unusable("it must start with http:// or https:// and name a host")
        if "@" in parts.netloc:
            raise _unusable("it must not carry a user name or password")


def _unusable(why: str) -> GatewayError:
    return GatewayError(Reason.URI_INVALID, f"the URL cannot be used: {why}", field="uri")


ImageSource = ImageContent | ImageUri


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a picture's header says. Width and height are those of the stored pixels, before EXIF orientation."""

    format: str
    width: int
    height: int
    orientation: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PreparationAction:
    """One thing that preparation did: its kind (fit, convert, rotate, shrink, strip_metadata) and the particulars."""

    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A picture that fits the operation's limits, and what was done to it (in order; empty: nothing).

    `facts` are those of the picture that the caller sent; `sent` those of `data`, or None if that is the same file.
    """

    data: bytes
    facts: ImageFacts
    actions: tuple[PreparationAction, ...] = ()
    sent: ImageFacts | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle in pixels of the picture that the caller sent."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class TagInstance:
    """One place where a tag's thing was seen; confidence in percent."""

    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Tag:
    """Something recognised in a picture; confidence in percent, `type` an open set (object, scene, concept, …)."""

    name: str
    confidence: float
    type: str
    localized_name: LocalizedText
    localized_type: LocalizedText = LocalizedText()
    instances: tuple[TagInstance, ...] = ()


THRESHOLD_RANGE = (0.0, 100.0)
LIMIT_RANGE = (1, 150)


@dataclass(frozen=True, slots=True)
class TaggingParameters:
    """Which tags are wanted (contract: image tagging v2).

    `threshold`: percent, 0 to 100, tags below it are left out. `limit`: 1 to 150, the most confident ones are kept.
    Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    language: Language = Language.ZH
    threshold: float = 60.0
    limit: int = 50

    def __post_init__(self) -> None:
        low, high = THRESHOLD_RANGE
        if not low <= self.threshold <= high:  # also false for NaN
            raise _out_of_range("parameters.threshold", f"{self.threshold:g}", f"{low:g} to {high:g}")
        if not LIMIT_RANGE[0] <= self.limit <= LIMIT_RANGE[1]:
            raise _out_of_range("parameters.limit", str(self.limit), f"{LIMIT_RANGE[0]} to {LIMIT_RANGE[1]}")


def _out_of_range(field_name: str, measured: str, allowed: str) -> GatewayError:
    return GatewayError(
        Reason.INVALID_ARGUMENT,
        f"{field_name} is {measured}; it must be {allowed}",
        field=field_name,
        measured=measured,
        allowed=allowed,
    )


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """What a provider answers: the tags, and how it came by them. `queue_time` and `work_time` are seconds."""

    provider: str
    tags: tuple[Tag, ...]
    attempts: int = 1
    request_ids: tuple[str, ...] = ()
    queue_time: float = 0.0
    work_time: float = 0.0


@dataclass(frozen=True, slots=True)
class TaggedImage:
    """The answer to one tagging call. Times are seconds; `facts` is None if only the cloud saw the picture."""

    reply: ProviderReply
    facts: ImageFacts | None = None
    actions: tuple[str, ...] = field(default=())
    prepare_time: float = 0.0
