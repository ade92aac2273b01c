"""The values that pass between the rooms: pictures in, tags or pictures out. Frozen and transport-free."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum
from typing import Final, Self
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
class MediaContent:
    """A recording as the bytes of its file."""

    data: bytes


MediaSource = MediaContent | ImageUri


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


class TaggingVersion(StrEnum):
    """A version of the contract's image tagging: the historical one gives no boxes and no names of types."""

    V1 = "v1"
    V2 = "v2"


THRESHOLD_RANGE = (0.0, 100.0)
LIMIT_RANGE = (1, 150)
BRIGHTNESS_RANGE = (0.0, 1.0)
GAMMA_RANGE = (0.1, 10.0)
SCALES = (3, 4)


def historical(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """Tags as the historical version of image tagging gives them."""
    return tuple(replace(tag, localized_type=LocalizedText(), instances=()) for tag in tags)


@dataclass(frozen=True, slots=True)
class TaggingParameters:
    """Which tags are wanted (contract: image tagging v2).

    `threshold`: percent, 0 to 100, tags below it are left out. `limit`: 1 to 150, the most confident ones are kept.
    Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    language: Language = Language.ZH
    threshold: float = 60.0
    limit: int = 50
    version: TaggingVersion = TaggingVersion.V2

    @classmethod
    def defaults(cls, version: TaggingVersion) -> Self:
        """What is wanted of `version` where nothing else is said."""
        return cls(threshold=0.0, limit=30, version=version) if version is TaggingVersion.V1 else cls(version=version)

    def __post_init__(self) -> None:
        _check_range("parameters.threshold", self.threshold, *THRESHOLD_RANGE)
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
class DarkEnhanceParameters:
    """How much a dark picture is brightened (contract: dark enhancement).

    `brightness`: 0 to 1, larger is brighter. Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    brightness: float = 0.9

    def __post_init__(self) -> None:
        _check_range("brightness", self.brightness, *BRIGHTNESS_RANGE)


@dataclass(frozen=True, slots=True)
class DefogParameters:
    """How haze is removed (contract: image defogging).

    `gamma`: 0.1 to 10, correction of what was defogged. `natural_look`: whether skies are spared and the effect is held back.
    Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    gamma: float = 1.5
    natural_look: bool = True

    def __post_init__(self) -> None:
        _check_range("gamma", self.gamma, *GAMMA_RANGE)


class UpscaleModel(StrEnum):
    """A network that enlarges pictures."""

    ESPCN = "ESPCN"
    SRCNN = "SRCNN"


@dataclass(frozen=True, slots=True)
class UpscaleParameters:
    """How a picture is enlarged (contract: super resolution).

    `scale`: 3 or 4, how many times as wide and high. Raises `GatewayError` with `INVALID_ARGUMENT` for anything else.
    """

    scale: int = 3
    model: UpscaleModel = UpscaleModel.ESPCN

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise _out_of_range("scale", str(self.scale), " or ".join(map(str, SCALES)))


EnhancementParameters = DarkEnhanceParameters | DefogParameters | UpscaleParameters


def _check_range(field_name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also true for NaN
        raise _out_of_range(field_name, f"{value:g}", f"{low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class MusicMatch:
    """A piece of music that was recognised: its name, confidence in percent, and where in it the recording begins; both are 0 if
    the provider tells the name only."""

    name: str
    confidence: float
    offset_seconds: float


class CacheState(StrEnum):
    """What the cache had to do with an answer."""

    NONE = "none"
    """It was not asked: there is none, or the call did not want it."""
    MISS = "miss"
    """It had none; this answer is new."""
    HIT = "hit"
    """The answer was remembered."""
    SHARED = "shared"
    """The answer is that of another call, which asked for the same at the same time."""


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """How a provider came by its answer. Times are seconds; `decode_time` is the part of `work_time` that decoding the picture
    took, 0 where that is not known. `attempts`: requests made for this answer; 0 if it is another call's or was remembered."""

    provider: str
    _: KW_ONLY
    attempts: int = 1
    cache: CacheState = CacheState.NONE
    request_ids: tuple[str, ...] = ()
    queue_time: float = 0.0
    work_time: float = 0.0
    decode_time: float = 0.0


@dataclass(frozen=True, slots=True)
class TaggingReply(ProviderReply):
    """A provider's tags, highest confidence first."""

    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class EnhancementReply(ProviderReply):
    """A provider's picture: the bytes of a file, and what its header says."""

    image: bytes
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class MusicReply(ProviderReply):
    """What a provider heard; None if that is nothing it knows."""

    match: MusicMatch | None


@dataclass(frozen=True, slots=True)
class TaggedImage:
    """The answer to one tagging call. Times are seconds; `facts` is None if only the cloud saw the picture. `replayed`: this is
    the answer to an earlier call with the same request id."""

    reply: TaggingReply
    facts: ImageFacts | None = None
    actions: tuple[str, ...] = field(default=())
    prepare_time: float = 0.0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class EnhancedImage:
    """The answer to one call that enhances a picture. `facts` are those of the picture that was sent; times are seconds."""

    reply: EnhancementReply
    facts: ImageFacts
    actions: tuple[str, ...] = field(default=())
    prepare_time: float = 0.0


@dataclass(frozen=True, slots=True)
class RecognizedMusic:
    """The answer to one call that recognises music. `fetch_time`: seconds that the download took."""

    reply: MusicReply
    fetch_time: float = 0.0
