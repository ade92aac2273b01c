"""The wire form of image tagging v2 (API reference, section 4.1): parameters out, tags in."""

import json
import math
from typing import Any, Final

from gateway.errors import GatewayError, Reason
from gateway.media import Box, LocalizedText, Tag, TaggingParameters, TagInstance

PATH: Final = "/v2/{project_id}/image/tagging"


def request_fields(parameters: TaggingParameters) -> dict[str, Any]:
    """The members of the request body besides the picture."""
    return {"language": parameters.language.value, "threshold": parameters.threshold, "limit": parameters.limit}


def read_tags(body: bytes, parameters: TaggingParameters) -> tuple[Tag, ...]:
    """Read a success reply, highest confidence first. Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`."""
    try:
        tags = json.loads(body)["result"]["tags"]
        read = [_read_tag(tag, parameters) for tag in tags]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise GatewayError(
            Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply to image tagging is not what its contract says"
        ) from error
    return tuple(sorted(read, key=lambda tag: -tag.confidence))


def _read_tag(tag: dict[str, Any], parameters: TaggingParameters) -> Tag:
    name = _text(tag["tag"])
    localized = _read_localized(tag.get("i18n_tag"))
    return Tag(
        name=name or localized.in_language(parameters.language),
        confidence=_percent(tag["confidence"]),
        type=_text(tag.get("type") or ""),
        localized_name=localized,
        localized_type=_read_localized(tag.get("i18n_type")),
        instances=tuple(_read_instance(instance) for instance in tag.get("instances") or ()),
    )


def _read_localized(names: dict[str, Any] | None) -> LocalizedText:
    names = names or {}
    return LocalizedText(zh=_text(names.get("zh") or ""), en=_text(names.get("en") or ""))


def _read_instance(instance: dict[str, Any]) -> TagInstance:
    box = instance["bounding_box"]
    return TagInstance(
        box=Box(
            left=_pixels(box["top_left_x"]),
            top=_pixels(box["top_left_y"]),
            width=_pixels(box["width"]),
            height=_pixels(box["height"]),
        ),
        confidence=_percent(instance["confidence"]),
    )


def _pixels(value: str | float) -> float:
    pixels = float(value)
    if not math.isfinite(pixels):
        msg = "box out of range"
        raise ValueError(msg)
    return pixels


def _percent(value: str | float) -> float:
    """A confidence; version 2 sends it as a string, version 1 as a number."""
    percent = float(value)
    if not 0.0 <= percent <= 100.0:
        msg = "confidence out of range"
        raise ValueError(msg)
    return percent


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = "not a string"
        raise TypeError(msg)
    value.encode()  # a ValueError for half of a surrogate pair, which JSON can spell and protobuf cannot hold
    return value
