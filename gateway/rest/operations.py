"""Every operation of the contract, declared once: path, parameters, what it works on, what it answers with."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway import _native
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancedImage,
    EnhancementParameters,
    ImageContent,
    Language,
    MediaContent,
    Tag,
    TaggingParameters,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.rest.errors import RestError
from gateway.rest.failures import MUSIC, TAGGING, VISION, Family
from gateway.rest.parameters import Choice, Number, Parameter, Switch
from gateway.rest.source import Source
from gateway.rest.tagging import write_historical_tags, write_located_tags, write_main_objects, write_media_tags, write_tags
from gateway.usecases.catalogue import UseCases

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A result that is a file. `format` is a media type's subtype."""

    data: bytes
    format: str

    def in_json(self) -> str:
        """As JSON carries it."""
        return base64.b64encode(self.data).decode("ascii")


Document = dict[str, Any] | list[dict[str, Any]]

Run = Callable[[UseCases, Source, Values], Awaitable[Document | File]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `sources`: the members of JSON of which one gives what it works on. `takes_forms`: whether a form with a
    `file` does as well. `run` returns the result: a document, or a `File`."""

    name: str
    path: str
    title: str
    family: Family
    parameters: tuple[Parameter, ...]
    run: Run
    sources: tuple[str, ...] = ("image", "url")
    takes_forms: bool = False


def _language() -> Choice:
    return Choice("language", "zh", ("zh", "en"), "Language of `tag`.")


def _threshold(default: float, *, lenient: bool = False) -> Number:
    return Number("threshold", default, 0, 100, "Tags below this confidence are left out.", lenient=lenient)


def _limit(default: int, most: int = 150) -> Number:
    return Number("limit", default, 1, most, "Most tags that are returned.", whole=True)


def _tagging(write: Callable[[tuple[Tag, ...]], Document]) -> Run:
    async def run(use_cases: UseCases, source: Source, values: Values) -> Document:
        parameters = TaggingParameters(Language(values["language"]), values["threshold"], values["limit"])
        return write((await use_cases.tag_image(source, parameters)).reply.tags)

    return run


async def _located_tags(use_cases: UseCases, source: Source, values: Values) -> Document:
    # The limit is one of located tags, so it cannot be asked of all tags.
    parameters = TaggingParameters(Language(values["language"]), values["threshold"], limit=150)
    tags = (await use_cases.tag_image(source, parameters)).reply.tags
    return write_located_tags(tuple(tag for tag in tags if tag.instances)[: values["limit"]])


async def _main_objects(use_cases: UseCases, source: Source, values: Values) -> Document:
    parameters = TaggingParameters(threshold=0.0, limit=150)
    tags = (await use_cases.tag_image(source, parameters)).reply.tags
    return write_main_objects(tags, values["threshold"])


def _enhancement(
    read: Callable[[Values], EnhancementParameters], formats: tuple[str, ...] = ("jpeg", "png", "bmp", "webp")
) -> Run:
    async def run(use_cases: UseCases, source: Source, values: Values) -> File:
        _check_format(source, formats)
        enhanced: EnhancedImage = await use_cases.enhance_image(source, read(values))
        return File(enhanced.reply.image, enhanced.reply.facts.format)

    return run


def _check_format(source: Source, formats: tuple[str, ...]) -> None:
    """Refuse what other faces of the gateway would convert for an operation: the contract converts nothing."""
    if not isinstance(source, ImageContent):
        return
    try:
        found = _native.probe(source.data).format
    except _native.ImageError:
        return  # preparation says what is wrong with it
    if found not in formats:
        raise RestError("AIS.0202", f"({found.upper()} is none of {', '.join(formats).upper()})")


async def _music(use_cases: UseCases, source: Source, _: Values) -> Document:
    recording = MediaContent(source.data) if isinstance(source, ImageContent) else source
    match = (await use_cases.recognize_music(recording)).reply.match
    if match is None:
        raise RestError(MUSIC.failed, "(the music is none of the catalogue)")
    return {"audio_name": match.name}


OPERATIONS: Final = (
    Operation(
        "image-tagging",
        "/v2/{project_id}/image/tagging",
        "Image tagging",
        TAGGING,
        (_language(), _threshold(60), _limit(50)),
        _tagging(write_tags),
    ),
    Operation(
        "image-tagging-v1",
        "/v1.0/image/tagging",
        "Image tagging (historical)",
        TAGGING,
        (_language(), _threshold(0, lenient=True), _limit(30)),
        _tagging(write_historical_tags),
    ),
    Operation(
        "dark-enhance",
        "/v1.0/vision/dark-enhance",
        "Dark enhancement",
        VISION,
        (Number("brightness", 0.9, 0, 1, "Larger is brighter."),),
        _enhancement(lambda values: DarkEnhanceParameters(values["brightness"])),
        sources=("image",),
        takes_forms=True,
    ),
    Operation(
        "defog",
        "/v1.0/vision/defog",
        "Image defogging",
        VISION,
        (
            Number("gamma", 1.5, 0.1, 10, "Gamma correction."),
            Switch("natural_look", True, "Off: more effect, even where it looks unnatural."),
        ),
        _enhancement(lambda values: DefogParameters(values["gamma"], values["natural_look"])),
        sources=("image",),
        takes_forms=True,
    ),
    Operation(
        "super-resolution",
        "/v1.0/vision/super-resolution",
        "Super resolution",
        VISION,
        (
            Choice("scale", 3, (3, 4), "How many times as wide and high."),
            Choice("model", "ESPCN", ("ESPCN", "SRCNN"), "The network."),
        ),
        _enhancement(
            lambda values: UpscaleParameters(int(values["scale"]), UpscaleModel(values["model"])), ("jpeg", "png", "bmp")
        ),
        sources=("image",),
        takes_forms=True,
    ),
    Operation("bgm-recognition", "/v1.0/bgm/recognition", "Background music recognition", MUSIC, (), _music, sources=("url",)),
    Operation(
        "media-tagging",
        "/v2/{project_id}/image/media-tagging",
        "Media tagging",
        TAGGING,
        (_language(), _threshold(0), _limit(10)),
        _tagging(write_media_tags),
    ),
    Operation(
        "media-tagging-det",
        "/v2/{project_id}/image/media-tagging-det",
        "Media tagging with detection",
        TAGGING,
        (_language(), _threshold(20), _limit(10, most=50)),
        _located_tags,
    ),
    Operation(
        "main-object-detection",
        "/v3/{project_id}/image/main-object-detection",
        "Main object detection",
        TAGGING,
        (Number("threshold", 30, 0, 100, "Objects below this confidence are left out."),),
        _main_objects,
    ),
)
"""What is served. Of section 3.7 of the API, celebrities and recaptured pictures are not: no engine here recognises them."""
