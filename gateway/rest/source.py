"""What an operation is to work on, as requests give it: base64 text, a URL, or a file of a form."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.media import ImageContent, ImageUri
from gateway.rest.errors import RestError
from gateway.rest.forms import Form
from gateway.rest.parameters import ParameterError

Source = ImageContent | ImageUri

MAX_BASE64_CHARS: Final = 10 << 20


def source_in_document(document: Mapping[str, Any], accepted: tuple[str, ...]) -> Source:
    """The source among the members `accepted` (`image`, `url`), exactly one. An empty string counts as absent: the vendor's
    own samples send `"url": ""`. Raises `RestError`, `ParameterError`."""
    given = {name: text for name in ("image", "url") if (text := _text(document, name))}
    if unwanted := given.keys() - set(accepted):
        raise RestError("AIS.0012", f"({', '.join(sorted(unwanted))} is not taken here)")
    return _only(given, accepted)


def source_in_form(form: Form) -> Source:
    """The content of the part `file`. Raises `RestError`."""
    if unwanted := [name for name in ("image", "url") if form.fields.get(name)]:
        raise RestError("AIS.0012", f"({unwanted[0]} is taken in JSON only; a form gives file)")
    if not form.file:
        raise RestError("AIS.0011", "(the form has no file, or an empty one)")
    return ImageContent(form.file)


def _only(given: Mapping[str, str], accepted: tuple[str, ...]) -> Source:
    if len(given) != 1:
        wanted = f"exactly one of {' and '.join(accepted)}" if len(accepted) > 1 else accepted[0]
        raise RestError("AIS.0012" if given else "AIS.0011", f"(give {wanted})")
    if "url" in given:
        try:
            return ImageUri(given["url"])
        except GatewayError as error:
            raise RestError("AIS.0022", f"({error.message})") from error
    return ImageContent(_decoded(given["image"]))


def _decoded(text: str) -> bytes:
    """What base64 `text` holds. One of the vendor's samples breaks it into lines, so line breaks neither harm nor count; other
    forms of base64 (without padding, for URLs, in a `data:` URL) were never taken."""
    text = text.replace("\r", "").replace("\n", "")
    if len(text) > MAX_BASE64_CHARS:
        raise RestError("AIS.0504", f"(image is {len(text)} characters of base64; at most {MAX_BASE64_CHARS} are allowed)")
    # Python's reader takes padding where none is due.
    if len(text) % 4 or text.endswith("==="):
        raise RestError("AIS.0015")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RestError("AIS.0015") from error


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ParameterError(name, value, "a string")
    return value
