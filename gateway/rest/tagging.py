"""Image tagging v2 on the wire (API reference, section 4.1)."""

import base64
import binascii
import json
import sys
from typing import Any

from gateway.media import ImageContent, ImageSource, ImageUri, Language, Tag, TaggingParameters
from gateway.rest.errors import RestError


def read_request(body: bytes) -> tuple[ImageSource, TaggingParameters]:
    """Read a request body. Raises `RestError`, or `GatewayError` for values that are well-formed but not allowed."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RestError("AIS.0014") from error
    if not isinstance(document, dict):
        raise RestError("AIS.0014", "(not an object)")
    return _read_source(document), _read_parameters(document)


def write_result(tags: tuple[Tag, ...]) -> dict[str, Any]:
    """The body of a success. Confidences are strings, as the contract has them."""
    return {"result": {"tags": [_write_tag(tag) for tag in tags]}}


def _read_source(document: dict[str, Any]) -> ImageSource:
    # An empty string counts as absent: the vendor's own samples send `"url": ""`.
    image, url = _optional_text(document, "image"), _optional_text(document, "url")
    if bool(image) == bool(url):
        raise RestError("AIS.0011" if not image else "AIS.0012", "(give exactly one of 'image' and 'url')")
    if url:
        return ImageUri(url)
    try:
        return ImageContent(base64.b64decode(_unwrapped(image), validate=True))
    except (binascii.Error, ValueError) as error:
        raise RestError("AIS.0015") from error


def _unwrapped(text: str) -> str:
    """Base64 without line breaks, which many encoders insert by default; anything else outside the alphabet is an error."""
    return text.replace("\r", "").replace("\n", "") if "\n" in text or "\r" in text else text


def _read_parameters(document: dict[str, Any]) -> TaggingParameters:
    given: dict[str, Any] = {}
    language = _optional_text(document, "language")
    if language:
        if language not in set(Language):
            raise RestError("AIS.0501", "(language must be 'zh' or 'en')")
        given["language"] = Language(language)
    threshold = document.get("threshold")
    if threshold is not None:
        # JSON can hold an integer that no float can, and Python's JSON a NaN.
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not abs(threshold) <= sys.float_info.max:
            raise RestError("AIS.0501", "(threshold must be a number)")
        given["threshold"] = float(threshold)
    limit = document.get("limit")
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, int):
            raise RestError("AIS.0501", "(limit must be an integer)")
        given["limit"] = limit
    return TaggingParameters(**given)


def _optional_text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RestError("AIS.0501", f"({name} must be a string)")
    return value


def _write_tag(tag: Tag) -> dict[str, Any]:
    return {
        "confidence": _percent(tag.confidence),
        "type": tag.type,
        "tag": tag.name,
        "i18n_tag": {"zh": tag.localized_name.zh, "en": tag.localized_name.en},
        "i18n_type": {"zh": tag.localized_type.zh, "en": tag.localized_type.en},
        "instances": [
            {
                "bounding_box": {
                    "width": instance.box.width,
                    "height": instance.box.height,
                    "top_left_x": instance.box.left,
                    "top_left_y": instance.box.top,
                },
                "confidence": _percent(instance.confidence),
            }
            for instance in tag.instances
        ],
    }


def _percent(value: float) -> str:
    """Two decimals, as the service prints them."""
    return f"{value:.2f}"
