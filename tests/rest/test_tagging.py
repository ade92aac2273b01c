from dataclasses import replace

import pytest

from gateway.media import Box, LocalizedText, Tag, TagInstance
from gateway.rest.tagging import (
    write_historical_tags,
    write_located_tags,
    write_main_objects,
    write_media_tags,
    write_tags,
)

NAMED = {"confidence": "91.46", "type": "object", "tag": "cat", "i18n_tag": {"zh": "猫", "en": "cat"}}
TYPED = {"i18n_type": {"zh": "物体", "en": "object"}}
PLACE = {"width": 30.0, "height": 40.25, "top_left_x": 1.5, "top_left_y": 2.0}
WHOLE_PLACE = {"width": 30, "height": 40, "top_left_x": 2, "top_left_y": 2}
WRITERS = [write_tags, write_historical_tags, write_media_tags, write_located_tags]


def placed(*instances: tuple[Box, float], name: str = "thing") -> Tag:
    return Tag(name, 50.0, "object", LocalizedText(), instances=tuple(TagInstance(*instance) for instance in instances))


def test_a_tag_of_version_2(cat) -> None:
    instances = [{"bounding_box": PLACE, "confidence": "88.00"}]
    assert write_tags((cat,)) == {"tags": [NAMED | TYPED | {"instances": instances}]}


def test_a_tag_of_version_1(cat) -> None:
    assert write_historical_tags((cat,)) == {"tags": [NAMED | {"confidence": 91.46}]}


def test_a_tag_of_media_tagging_is_placed_in_whole_pixels(cat) -> None:
    (tag,) = write_media_tags((cat,))["tags"]
    assert tag == NAMED | TYPED | {"instances": [{"bounding_box": WHOLE_PLACE, "confidence": "88.00"}]}
    assert all(type(number) is int for number in tag["instances"][0]["bounding_box"].values())


def test_media_tagging_with_detection_tells_what_has_a_place(cat) -> None:
    instances = [{"bounding_box": WHOLE_PLACE, "confidence": "88.00"}]
    nowhere = replace(cat, instances=())
    assert write_located_tags((nowhere, cat, nowhere)) == {"tags": [NAMED | {"instances": instances}]}


def test_what_is_not_known_is_empty_not_absent() -> None:
    (tag,) = write_tags((Tag("cat", 100.0, "", LocalizedText()),))["tags"]
    assert (tag["confidence"], tag["i18n_type"], tag["instances"]) == ("100.00", {"zh": "", "en": ""}, [])


@pytest.mark.parametrize("write", WRITERS)
def test_no_tags(write) -> None:
    assert write(()) == {"tags": []}


def test_main_objects() -> None:
    dog, ball = Box(10.0, 20.0, 30.0, 40.0), Box(0.0, 50.0, 8.0, 15.0)
    tags = (placed((dog, 80.0), name="dog"), placed((dog, 90.0), (ball, 95.0), name="animal"), placed(name="scene"))
    assert write_main_objects(tags, 30.0) == [
        {
            "label": "main_object_box",
            "location": {"width": 40.0, "height": 45.0, "top_left_x": 0.0, "top_left_y": 20.0},
            "confidence": "95.00",
        },
        {
            "label": "bounding_box",
            "location": {"width": 8.0, "height": 15.0, "top_left_x": 0.0, "top_left_y": 50.0},
            "confidence": "95.00",
        },
        {
            "label": "bounding_box",
            "location": {"width": 30.0, "height": 40.0, "top_left_x": 10.0, "top_left_y": 20.0},
            "confidence": "90.00",
        },
    ]
    assert [each["confidence"] for each in write_main_objects(tags, 90.5)] == ["95.00", "95.00"]
    assert len(write_main_objects(tags, 90.0)) == 3
    assert write_main_objects(tags, 95.1) == []
    assert write_main_objects((), 0.0) == []
