"""Tags and objects on the wire (API reference, section 4.1; the vendor's SDK for the operations of newer versions)."""

from collections.abc import Callable, Collection
from typing import Any

from gateway.media import Box, Tag


def write_tags(tags: tuple[Tag, ...]) -> dict[str, Any]:
    """The result of tagging v2: confidences are strings, as the contract has them."""
    return {"tags": [_named(tag) | _typed(tag) | {"instances": _instances(tag)} for tag in tags]}


def write_media_tags(tags: tuple[Tag, ...]) -> dict[str, Any]:
    """The result of media tagging: as v2, but boxes are in whole pixels, since the SDK declares integers."""
    return {"tags": [_named(tag) | _typed(tag) | {"instances": _instances(tag, _whole)} for tag in tags]}


def write_historical_tags(tags: tuple[Tag, ...]) -> dict[str, Any]:
    """The result of tagging v1: confidences are numbers, and there are neither boxes nor names of types."""
    return {"tags": [_named(tag) | {"confidence": round(tag.confidence, 2)} for tag in tags]}


def write_located_tags(tags: tuple[Tag, ...]) -> dict[str, Any]:
    """The result of media tagging with detection: only what was seen in a place, and where, in whole pixels."""
    return {"tags": [_named(tag) | {"instances": _instances(tag, _whole)} for tag in tags if tag.instances]}


def write_main_objects(tags: tuple[Tag, ...], threshold: float) -> list[dict[str, Any]]:
    """The result of main object detection: the box around all objects, and every object's box once, surest first."""
    # A dog is an animal: both tags have its box.
    boxes: dict[Box, float] = {}
    for instance in (instance for tag in tags for instance in tag.instances):
        if instance.confidence >= threshold:
            boxes[instance.box] = max(instance.confidence, boxes.get(instance.box, 0.0))
    if not boxes:
        return []
    objects = [_object("bounding_box", box, boxes[box]) for box in sorted(boxes, key=lambda box: -boxes[box])]
    return [_object("main_object_box", _around(boxes), max(boxes.values())), *objects]


def _named(tag: Tag) -> dict[str, Any]:
    return {
        "confidence": _percent(tag.confidence),
        "type": tag.type,
        "tag": tag.name,
        "i18n_tag": {"zh": tag.localized_name.zh, "en": tag.localized_name.en},
    }


def _typed(tag: Tag) -> dict[str, Any]:
    return {"i18n_type": {"zh": tag.localized_type.zh, "en": tag.localized_type.en}}


def _instances(tag: Tag, place: Callable[[Box], Box] = lambda box: box) -> list[dict[str, Any]]:
    return [{"bounding_box": _location(place(each.box)), "confidence": _percent(each.confidence)} for each in tag.instances]


def _whole(box: Box) -> Box:
    return Box(left=round(box.left), top=round(box.top), width=round(box.width), height=round(box.height))


def _object(label: str, box: Box, confidence: float) -> dict[str, Any]:
    return {"label": label, "location": _location(box), "confidence": _percent(confidence)}


def _location(box: Box) -> dict[str, float]:
    return {"width": box.width, "height": box.height, "top_left_x": box.left, "top_left_y": box.top}


def _around(boxes: Collection[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    return Box(left=left, top=top, width=right - left, height=bottom - top)


def _percent(value: float) -> str:
    """Two decimals, as the service prints them."""
    return f"{value:.2f}"
