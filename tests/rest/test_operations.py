"""Every operation, its parameters' rules and defaults as the contract has them, and what reaches the use case."""

import base64
import json
from dataclasses import replace

import pytest

from gateway.media import (
    Box,
    DarkEnhanceParameters,
    DefogParameters,
    ImageContent,
    ImageUri,
    Language,
    MusicReply,
    RecognizedMusic,
    TaggedImage,
    TaggingParameters,
    TaggingReply,
    TagInstance,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.rest.call import read_call
from gateway.rest.errors import RestError
from gateway.rest.operations import OPERATIONS, File

BY_NAME = {operation.name: operation for operation in OPERATIONS}
IMAGE = {"image": "AAAA"}
CONTENT = ImageContent(b"\0\0\0")
URL = "https://example.org/x"

PATHS = {
    "image-tagging": "/v2/{project_id}/image/tagging",
    "image-tagging-v1": "/v1.0/image/tagging",
    "dark-enhance": "/v1.0/vision/dark-enhance",
    "defog": "/v1.0/vision/defog",
    "super-resolution": "/v1.0/vision/super-resolution",
    "bgm-recognition": "/v1.0/bgm/recognition",
    "media-tagging": "/v2/{project_id}/image/media-tagging",
    "media-tagging-det": "/v2/{project_id}/image/media-tagging-det",
    "main-object-detection": "/v3/{project_id}/image/main-object-detection",
}


def values(name: str, **members: object) -> dict[str, object]:
    source = {"url": URL} if name == "bgm-recognition" else IMAGE
    return read_call(BY_NAME[name], "application/json", {}, _json(source | members)).values


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def test_paths() -> None:
    assert {operation.name: operation.path for operation in OPERATIONS} == PATHS


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("image-tagging", {"language": "zh", "threshold": 60, "limit": 50}),
        ("image-tagging-v1", {"language": "zh", "threshold": 0, "limit": 30}),
        ("dark-enhance", {"brightness": 0.9}),
        ("defog", {"gamma": 1.5, "natural_look": True}),
        ("super-resolution", {"scale": 3, "model": "ESPCN"}),
        ("bgm-recognition", {}),
        ("media-tagging", {"language": "zh", "threshold": 0, "limit": 10}),
        ("media-tagging-det", {"language": "zh", "threshold": 20, "limit": 10}),
        ("main-object-detection", {"threshold": 30}),
    ],
)
def test_defaults(name, defaults) -> None:
    assert values(name) == defaults
    assert values(name, **dict.fromkeys(defaults, "")) == defaults
    assert values(name, **dict.fromkeys(defaults)) == defaults


TAGGING_LIKE = ["image-tagging", "image-tagging-v1", "media-tagging", "media-tagging-det"]


@pytest.mark.parametrize(
    ("name", "parameter", "allowed", "refused"),
    [
        *((name, "language", ["zh", "en"], ["fr", "EN", 7]) for name in TAGGING_LIKE),
        *((name, "threshold", [0, 100, 37.5], [-0.1, 100.1, "60", True]) for name in TAGGING_LIKE if name != "image-tagging-v1"),
        *((name, "limit", [1, 150], [0, 151, "5", 1.5]) for name in TAGGING_LIKE if name != "media-tagging-det"),
        ("media-tagging-det", "limit", [1, 50], [0, 51]),
        ("image-tagging-v1", "threshold", [0, 100], ["60", True]),
        ("main-object-detection", "threshold", [0, 100], [-1, 101]),
        ("dark-enhance", "brightness", [0, 1], [-0.1, 1.1]),
        ("defog", "gamma", [0.1, 10], [0.09, 10.1]),
        ("defog", "natural_look", [True, False], ["true", 1, 0]),
        ("super-resolution", "scale", [3, 4], [1, 2, 5, "3", 3.5]),
        ("super-resolution", "model", ["ESPCN", "SRCNN"], ["espcn", "FSRCNN"]),
    ],
)
def test_ranges(name, parameter, allowed, refused) -> None:
    for value in allowed:
        assert values(name, **{parameter: value})[parameter] == value
    for value in refused:
        with pytest.raises(RestError, match=parameter) as caught:
            values(name, **{parameter: value})
        assert caught.value.code == ("AIS.0203" if "/vision/" in PATHS[name] else "AIS.0501")


@pytest.mark.parametrize("threshold", [-0.1, 100.1, 10**400])
def test_a_threshold_out_of_range_is_the_default_in_version_1(threshold) -> None:
    assert values("image-tagging-v1", threshold=threshold)["threshold"] == 0


@pytest.mark.parametrize(
    ("name", "members", "code"),
    [
        *((name, {}, "AIS.0011") for name in PATHS),
        *((name, {"image": "AAAA", "url": URL}, "AIS.0012") for name in PATHS),
        *((name, {"url": URL}, "AIS.0012") for name in PATHS if "/vision/" in PATHS[name]),
        ("bgm-recognition", IMAGE, "AIS.0012"),
    ],
)
def test_sources(name, members, code) -> None:
    with pytest.raises(RestError) as caught:
        read_call(BY_NAME[name], "application/json", {}, _json(members))
    assert caught.value.code == code


async def run(use_cases, name: str, source=CONTENT, **members: object) -> object:
    return await BY_NAME[name].run(use_cases, source, values(name, **members))


@pytest.mark.parametrize("name", ["image-tagging", "image-tagging-v1", "media-tagging"])
@pytest.mark.parametrize("source", [CONTENT, ImageUri(URL)])
async def test_tagging(use_cases, tagging, name, source) -> None:
    (tag,) = (await run(use_cases, name, source, language="en", threshold=12.5, limit=7))["tags"]
    assert tagging.calls == [(source, TaggingParameters(Language.EN, 12.5, 7))]
    assert tag["tag"] == "cat"
    assert ("instances" in tag, "i18n_type" in tag) == (name != "image-tagging-v1",) * 2
    assert type(tag["confidence"]) is (float if name == "image-tagging-v1" else str)


async def test_the_limit_of_media_tagging_with_detection_counts_tags_that_have_a_place(use_cases, tagging, cat) -> None:
    nowhere = replace(cat, instances=())
    tagging.reply = TaggedImage(TaggingReply("commanded", (nowhere, nowhere, cat, cat, cat)))
    assert len((await run(use_cases, "media-tagging-det", limit=2))["tags"]) == 2
    ((_, parameters),) = tagging.calls
    assert parameters == TaggingParameters(Language.ZH, 20.0, 150)


async def test_main_objects_are_chosen_by_their_own_confidence(use_cases, tagging, cat) -> None:
    # The tag's confidence, 91, is above; the one of its second place is not.
    second = TagInstance(Box(0.0, 0.0, 5.0, 5.0), 40.0)
    tagging.reply = TaggedImage(TaggingReply("commanded", (replace(cat, instances=(*cat.instances, second)),)))
    labels = [each["label"] for each in await run(use_cases, "main-object-detection", threshold=50)]
    assert labels == ["main_object_box", "bounding_box"]
    assert tagging.calls == [(CONTENT, TaggingParameters(threshold=0.0, limit=150))]


@pytest.mark.parametrize(
    ("name", "members", "parameters"),
    [
        ("dark-enhance", {"brightness": 0.25}, DarkEnhanceParameters(0.25)),
        ("defog", {"gamma": 3, "natural_look": False}, DefogParameters(3.0, natural_look=False)),
        ("super-resolution", {"scale": 4, "model": "SRCNN"}, UpscaleParameters(4, UpscaleModel.SRCNN)),
        ("super-resolution", {"scale": 4.0}, UpscaleParameters(4, UpscaleModel.ESPCN)),
    ],
)
async def test_enhancement(use_cases, enhancing, name, members, parameters) -> None:
    file = await run(use_cases, name, **members)
    assert enhancing.calls == [(CONTENT, parameters)]
    assert file == File(enhancing.reply.reply.image, "png")
    assert base64.b64decode(file.in_json(), validate=True) == file.data


async def test_music(use_cases, music) -> None:
    assert await run(use_cases, "bgm-recognition", ImageUri(URL)) == {"audio_name": "harbour lights"}
    assert music.calls == [(ImageUri(URL),)]


async def test_music_that_nobody_knows(use_cases, music) -> None:
    music.reply = RecognizedMusic(MusicReply("commanded", None))
    with pytest.raises(RestError, match="none of the catalogue") as caught:
        await run(use_cases, "bgm-recognition", ImageUri(URL))
    assert caught.value.code == "AIS.0105"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_schema_s_default_is_the_default_and_allowed(operation) -> None:
    for parameter in operation.parameters:
        schema = parameter.schema()
        assert parameter.read(schema["default"]) == schema["default"] == values(operation.name)[parameter.name]
        for bound in ("minimum", "maximum"):
            if bound in schema:
                assert parameter.read(schema[bound]) == schema[bound]
        assert parameter.meaning
