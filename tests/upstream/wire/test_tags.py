import json

import pytest
from multidict import CIMultiDict

from gateway.errors import GatewayError, Reason
from gateway.media import Box, Language, LocalizedText, Tag, TagInstance
from gateway.upstream.reply import HttpReply
from gateway.upstream.wire.tags import read_tags

TREE = {
    "confidence": "98.38",
    "type": "object",
    "tag": "树",
    "i18n_tag": {"zh": "树", "en": "Tree"},
    "i18n_type": {"zh": "物体", "en": "object"},
    "instances": [
        {"bounding_box": {"width": 10.5, "height": 20, "top_left_x": 1.25, "top_left_y": "2"}, "confidence": "97.1"},
    ],
}


def body(*tags: object) -> bytes:
    return json.dumps({"result": {"tags": tags}}).encode()


def read(content: bytes, language: Language = Language.ZH) -> tuple[Tag, ...]:
    return read_tags(HttpReply(200, CIMultiDict(), content), language)


def without(tag: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in tag.items() if name not in names}


def test_a_tag_is_read_whole() -> None:
    assert read(body(TREE)) == (
        Tag(
            name="树",
            confidence=98.38,
            type="object",
            localized_name=LocalizedText(zh="树", en="Tree"),
            localized_type=LocalizedText(zh="物体", en="object"),
            instances=(TagInstance(Box(left=1.25, top=2.0, width=10.5, height=20.0), 97.1),),
        ),
    )


def test_the_first_version_s_form() -> None:
    (tag,) = read(body({"confidence": 98.38, "tag": "tree", "type": "object"}))
    assert (tag.confidence, tag.localized_name, tag.localized_type, tag.instances) == (
        98.38,
        LocalizedText(),
        LocalizedText(),
        (),
    )


@pytest.mark.parametrize("name", ["type", "i18n_tag", "i18n_type", "instances"])
@pytest.mark.parametrize("change", ["absent", None])
def test_what_may_be_absent(name, change) -> None:
    tag = without(TREE, name) if change == "absent" else TREE | {name: None}
    assert read(body(tag))[0].name == "树"


@pytest.mark.parametrize(("language", "name"), [(Language.EN, "Tree"), (Language.ZH, "树")])
def test_an_empty_name_is_taken_from_the_localized_ones(language, name) -> None:
    (tag,) = read(body(TREE | {"tag": ""}), language)
    assert tag.name == name


def test_the_most_confident_tag_comes_first() -> None:
    tags = [TREE | {"confidence": confidence} for confidence in ("9.5", "100", "60.25")]
    assert [tag.confidence for tag in read(body(*tags))] == [100.0, 60.25, 9.5]


def test_no_tags_are_an_answer() -> None:
    assert read(body()) == ()


BOX = TREE["instances"][0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"result": null}',
        b'{"result": {}}',
        b'{"result": {"tags": null}}',
        b'{"result": {"tags": {"tag": "x"}}}',
        b'{"result": {"tags": "text"}}',
        body(TREE)[:-1],
        body(7),
        body(without(TREE, "tag")),
        body(without(TREE, "confidence")),
        body(TREE | {"tag": 7}),
        body(TREE | {"tag": "\ud800"}),
        body(TREE | {"confidence": "high"}),
        body(TREE | {"confidence": "nan"}),
        body(TREE | {"confidence": float("nan")}),
        body(TREE | {"confidence": "100.1"}),
        body(TREE | {"confidence": -1}),
        body(TREE | {"confidence": 10**400}),
        body(TREE | {"confidence": None}),
        body(TREE | {"confidence": True}),
        body(TREE | {"i18n_tag": "tree"}),
        body(TREE | {"i18n_tag": {"zh": 1}}),
        body(TREE | {"instances": [7]}),
        body(TREE | {"instances": 7}),
        body(TREE | {"instances": [without(BOX, "confidence")]}),
        body(TREE | {"instances": [without(BOX, "bounding_box")]}),
        body(TREE | {"instances": [BOX | {"bounding_box": {"width": 1}}]}),
        body(TREE | {"instances": [BOX | {"bounding_box": BOX["bounding_box"] | {"width": "nan"}}]}),
        body(TREE | {"instances": [BOX | {"bounding_box": BOX["bounding_box"] | {"width": 10**400}}]}),
    ],
)
def test_anything_else_is_a_bad_response(content) -> None:
    with pytest.raises(GatewayError) as caught:
        read(content)
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE
