"""Tags: of both versions of image tagging (API reference, section 4.1) and of media tagging (the vendor's SDK)."""

from typing import Any

from gateway.media import Language, LocalizedText, Tag, TagInstance
from gateway.upstream.reply import HttpReply
from gateway.upstream.wire.values import box, percent, reading, result_of, text


def read_tags(reply: HttpReply, language: Language) -> tuple[Tag, ...]:
    """Read a success reply, highest confidence first; `language`: of names that the reply leaves out.

    The historical version has neither places nor names of types, and its confidences are numbers instead of strings.
    Raises `GatewayError` with `UPSTREAM_BAD_RESPONSE`.
    """
    with reading("image tagging"):
        tags = [_read_tag(tag, language) for tag in result_of(reply.body)["tags"]]
    return tuple(sorted(tags, key=lambda tag: -tag.confidence))


def _read_tag(tag: dict[str, Any], language: Language) -> Tag:
    localized = _read_localized(tag.get("i18n_tag"))
    return Tag(
        name=text(tag["tag"]) or localized.in_language(language),
        confidence=percent(tag["confidence"]),
        type=text(tag.get("type") or ""),
        localized_name=localized,
        localized_type=_read_localized(tag.get("i18n_type")),
        instances=tuple(_read_instance(instance) for instance in tag.get("instances") or ()),
    )


def _read_localized(names: dict[str, Any] | None) -> LocalizedText:
    names = names or {}
    return LocalizedText(zh=text(names.get("zh") or ""), en=text(names.get("en") or ""))


def _read_instance(instance: dict[str, Any]) -> TagInstance:
    return TagInstance(box=box(instance["bounding_box"]), confidence=percent(instance["confidence"]))
