"""Every operation of the image service, declared once: path, what it takes, and how its result reads (API reference, section 4;
the vendor's SDK for the operations that the reference lacks)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.image_error import image_error
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementParameters,
    ImageUri,
    Tag,
    TaggingParameters,
    TaggingVersion,
    UpscaleParameters,
)
from gateway.upstream.forms import Body, Fields, content_body, form_body, url_body
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.parameters import (
    CelebrityParameters,
    MainObjectParameters,
    MediaDetectionParameters,
    MediaTaggingParameters,
    MusicParameters,
    RecaptureParameters,
)
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Celebrity, MainObject, Picture, Recapture
from gateway.upstream.wire.celebrities import read_celebrities
from gateway.upstream.wire.music import read_music
from gateway.upstream.wire.objects import read_main_objects
from gateway.upstream.wire.pictures import read_picture
from gateway.upstream.wire.recapture import read_recapture
from gateway.upstream.wire.tags import read_tags

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture must be. Sides in pixels, inclusive; `max_base64`: length of its file in base64, in characters."""

    formats: tuple[str, ...] = ("jpeg", "png", "bmp", "webp")
    min_side: int = 15
    max_side: int = 4096
    max_base64: int = 10_485_760


_NO_WEBP: Final = ("jpeg", "png", "bmp")


@dataclass(frozen=True, slots=True)
class Operation(Generic[P, R]):
    """One operation: `P` its parameters, `R` its result.

    `parameters`: their class, which has ranges and defaults. `fields`: them as the contract calls them. `read`: the result of a
    success reply; it is pure, may take milliseconds for pictures, and raises `GatewayError` (`UPSTREAM_BAD_RESPONSE`). `limits`
    is None where no picture is taken. `reasons`: what the cloud's codes, which all operations share, mean of this one.
    """

    name: str
    path: str
    parameters: type[P]
    fields: Callable[[P], Fields]
    read: Callable[[HttpReply, P], R]
    takes_content: bool = True
    takes_url: bool = True
    takes_form: bool = False
    limits: Limits | None = Limits()
    reasons: Mapping[Reason, Reason] = field(default_factory=dict)

    def body(self, source: bytes | ImageUri, parameters: P) -> Body:
        """The body of a request, in JSON. Raises `GatewayError` with `INVALID_ARGUMENT` for a source that it does not take."""
        fields = self.fields(parameters)
        if isinstance(source, ImageUri):
            if not self.takes_url:
                raise self._not_taken("a URL", "uri")
            return url_body(source.uri, fields)
        if not self.takes_content:
            raise self._not_taken("content, only a URL", "content")
        return content_body(source, fields)

    def check(self, data: bytes) -> None:
        """Raise `GatewayError` for a picture that the operation does not take, from its header."""
        if self.limits is None:
            return
        try:
            info = _native.validate(
                data, min_side=self.limits.min_side, max_side=self.limits.max_side, max_base64=self.limits.max_base64
            )
        except _native.ImageError as error:
            raise image_error(error) from error
        if info.format not in self.limits.formats:
            allowed = ", ".join(self.limits.formats).upper()
            raise GatewayError(
                Reason.IMAGE_FORMAT_UNSUPPORTED,
                f"the picture is {info.format.upper()}; the cloud's {self.name} takes {allowed}",
                field="content",
                measured=info.format.upper(),
                allowed=allowed,
            )

    def form(self, data: bytes, media_type: str, parameters: P, boundary: str) -> Body:
        """The body of a request as a form, a quarter shorter; the reply is then the picture itself, not JSON.

        Raises `GatewayError` with `INVALID_ARGUMENT` if the operation takes none.
        """
        if not self.takes_form:
            raise self._not_taken("a form", "content")
        return form_body(data, media_type, self.fields(parameters), boundary)

    def outgoing(self, endpoint: str, project_id: str, body: Body) -> Outgoing:
        """The request to the service at `endpoint`, a URL without a trailing slash."""
        path = self.path.format(project_id=quote(project_id, safe=""))
        return Outgoing("POST", endpoint + path, headers={"Content-Type": body.content_type}, body=body.content)

    def _not_taken(self, what: str, field: str) -> GatewayError:
        return GatewayError(Reason.INVALID_ARGUMENT, f"the cloud's {self.name} does not take {what}", field=field)


def _tagging_fields(parameters: TaggingParameters | MediaTaggingParameters) -> Fields:
    """All of them, even the defaults: those of the versions differ."""
    return {"language": parameters.language.value, "threshold": parameters.threshold, "limit": parameters.limit}


def _threshold(parameters: MainObjectParameters | CelebrityParameters | RecaptureParameters) -> Fields:
    return {"threshold": parameters.threshold}


def _read_tags(reply: HttpReply, parameters: TaggingParameters | MediaTaggingParameters) -> tuple[Tag, ...]:
    return read_tags(reply, parameters.language)


def _read_picture(reply: HttpReply, _: EnhancementParameters) -> Picture:
    return read_picture(reply)


TAGGING: Final[Operation[TaggingParameters, tuple[Tag, ...]]] = Operation(
    "image-tagging", "/v2/{project_id}/image/tagging", TaggingParameters, _tagging_fields, _read_tags
)

TAGGING_V1: Final[Operation[TaggingParameters, tuple[Tag, ...]]] = Operation(
    "image-tagging-v1", "/v1.0/image/tagging", TaggingParameters, _tagging_fields, _read_tags
)

TAGGING_BY_VERSION: Final = MappingProxyType({TaggingVersion.V1: TAGGING_V1, TaggingVersion.V2: TAGGING})

DARK_ENHANCE: Final[Operation[DarkEnhanceParameters, Picture]] = Operation(
    "dark-enhance",
    "/v1.0/vision/dark-enhance",
    DarkEnhanceParameters,
    lambda parameters: {"brightness": parameters.brightness},
    _read_picture,
    takes_url=False,
    takes_form=True,
)

DEFOG: Final[Operation[DefogParameters, Picture]] = Operation(
    "defog",
    "/v1.0/vision/defog",
    DefogParameters,
    lambda parameters: {"gamma": parameters.gamma, "natural_look": parameters.natural_look},
    _read_picture,
    takes_url=False,
    takes_form=True,
)

SUPER_RESOLUTION: Final[Operation[UpscaleParameters, Picture]] = Operation(
    "super-resolution",
    "/v1.0/vision/super-resolution",
    UpscaleParameters,
    lambda parameters: {"scale": parameters.scale, "model": parameters.model.value},
    _read_picture,
    takes_url=False,
    takes_form=True,
    limits=Limits(_NO_WEBP),
)

MUSIC: Final[Operation[MusicParameters, str | None]] = Operation(
    "bgm-recognition",
    "/v1.0/bgm/recognition",
    MusicParameters,
    lambda _: {},
    lambda reply, _: read_music(reply),
    takes_content=False,
    limits=None,
    reasons=MappingProxyType(
        {
            Reason.IMAGE_FORMAT_UNSUPPORTED: Reason.MEDIA_UNSUPPORTED,
            Reason.IMAGE_DAMAGED: Reason.MEDIA_DAMAGED,
            Reason.IMAGE_TOO_LARGE: Reason.MEDIA_TOO_LARGE,
        }
    ),
)

MEDIA_TAGGING: Final[Operation[MediaTaggingParameters, tuple[Tag, ...]]] = Operation(
    "media-tagging",
    "/v2/{project_id}/image/media-tagging",
    MediaTaggingParameters,
    _tagging_fields,
    _read_tags,
    limits=Limits(_NO_WEBP),
)

MEDIA_DETECTION: Final[Operation[MediaDetectionParameters, tuple[Tag, ...]]] = Operation(
    "media-tagging-det",
    "/v2/{project_id}/image/media-tagging-det",
    MediaDetectionParameters,
    _tagging_fields,
    _read_tags,
    limits=Limits(min_side=1, max_side=10_000),
)

MAIN_OBJECTS: Final[Operation[MainObjectParameters, tuple[MainObject, ...]]] = Operation(
    "main-object-detection",
    "/v3/{project_id}/image/main-object-detection",
    MainObjectParameters,
    _threshold,
    lambda reply, _: read_main_objects(reply),
    limits=Limits(_NO_WEBP, min_side=1, max_side=10_000),
)

CELEBRITIES: Final[Operation[CelebrityParameters, tuple[Celebrity, ...]]] = Operation(
    "celebrity-recognition",
    "/v2/{project_id}/image/celebrity-recognition",
    CelebrityParameters,
    _threshold,
    lambda reply, _: read_celebrities(reply),
    limits=Limits(_NO_WEBP),
)

RECAPTURE: Final[Operation[RecaptureParameters, Recapture]] = Operation(
    "recapture-detect",
    "/v2/{project_id}/image/recapture-detect",
    RecaptureParameters,
    _threshold,
    lambda reply, _: read_recapture(reply),
    limits=Limits(_NO_WEBP),
)

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    TAGGING,
    TAGGING_V1,
    DARK_ENHANCE,
    DEFOG,
    SUPER_RESOLUTION,
    MUSIC,
    MEDIA_TAGGING,
    MEDIA_DETECTION,
    MAIN_OBJECTS,
    CELEBRITIES,
    RECAPTURE,
)
"""All of them."""


def enhancement_of(parameters: EnhancementParameters) -> Operation[Any, Picture]:
    """The operation that these are the parameters of."""
    match parameters:
        case DarkEnhanceParameters():
            return DARK_ENHANCE
        case DefogParameters():
            return DEFOG
        case UpscaleParameters():
            return SUPER_RESOLUTION
