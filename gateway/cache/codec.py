"""Answers ↔ bytes, for every store: a JSON header, then the bytes of a picture if there is one.

    4 bytes   `MAGIC`, which changes with the layout
    4 bytes   CRC-32 of all that follows
    4 bytes   length of the header
    n bytes   the header: UTF-8 JSON, lists instead of objects where there are many alike
    the rest  the picture

What is read is checked like a stranger's: another release, a damaged disk or another program may have written it.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gateway.cache.reading import read_count, read_list, read_number, read_percent, read_text
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import (
    Box,
    EnhancementReply,
    ImageFacts,
    Language,
    LocalizedText,
    MusicMatch,
    MusicReply,
    ProviderReply,
    Tag,
    TaggingReply,
    TagInstance,
)

MAGIC: Final = b"iga1"

IMAGE_REASONS: Final = frozenset(
    {
        Reason.IMAGE_EMPTY,
        Reason.IMAGE_FORMAT_UNSUPPORTED,
        Reason.IMAGE_DAMAGED,
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        Reason.IMAGE_TOO_LARGE,
        Reason.IMAGE_REJECTED,
        Reason.MEDIA_UNSUPPORTED,
        Reason.MEDIA_DAMAGED,
        Reason.MEDIA_TOO_LARGE,
    }
)
"""What is the picture's or recording's own fault: the only errors that are remembered."""

_PREFIX: Final = struct.Struct(">4sII")


@dataclass(frozen=True, slots=True)
class WholeTagging:
    """All tags of a picture, and the language that they were asked for in: that of `Tag.name`."""

    reply: TaggingReply
    language: Language


Answer = WholeTagging | TaggingReply | EnhancementReply | MusicReply

AnswerT = TypeVar("AnswerT", bound=Answer)


def encode(answer: Answer | GatewayError) -> bytes:
    """`answer` as it is kept: without what is true of one call only (attempts, times, the cache's part)."""
    header: list[object]
    picture = b""
    match answer:
        case WholeTagging(reply, language):
            header = ["whole", *_provenance(reply), language.value, _tags(reply.tags)]
        case TaggingReply():
            header = ["tagging", *_provenance(answer), _tags(answer.tags)]
        case EnhancementReply():
            facts = answer.facts
            described = [facts.format, facts.width, facts.height, facts.orientation, facts.size_bytes]
            header, picture = ["enhancement", *_provenance(answer), described], answer.image
        case MusicReply():
            heard = answer.match
            header = ["music", *_provenance(answer), heard and [heard.name, heard.confidence, heard.offset_seconds]]
        case _:
            said = answer.upstream
            detail = said and [said.error_code, said.http_status, said.request_id]
            header = ["error", answer.reason.value, answer.message, answer.field, answer.measured, answer.allowed, detail]
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    checksum = zlib.crc32(picture, zlib.crc32(text, zlib.crc32(len(text).to_bytes(4, "big"))))
    return b"".join((_PREFIX.pack(MAGIC, checksum, len(text)), text, picture))


def decode(kept: bytes, kind: type[AnswerT]) -> AnswerT | GatewayError:
    """The answer of that kind, or the error in its place. Raises `ValueError` if `kept` is nothing of the sort."""
    try:
        magic, checksum, length = _PREFIX.unpack_from(kept)
        if magic != MAGIC or zlib.crc32(memoryview(kept)[8:]) != checksum:
            raise _damaged()
        end = _PREFIX.size + length
        header = read_list(json.loads(kept[_PREFIX.size : end]))
        if header[0] == "error":
            return _read_error(header[1:])
        if header[0] != _NAMES[kind]:
            raise _damaged()
        provider, request_ids, *rest = header[1:]
        provenance = (read_text(provider), tuple(map(read_text, read_list(request_ids))))
        answer = _read_answer(header[0], provenance, rest, kept[end:])
    except (struct.error, LookupError, TypeError, ValueError, RecursionError) as error:
        raise _damaged() from error
    return answer  # type: ignore[return-value]  # `_NAMES` says that the name read is that of `kind`


_NAMES: Final[dict[type, str]] = {
    WholeTagging: "whole",
    TaggingReply: "tagging",
    EnhancementReply: "enhancement",
    MusicReply: "music",
}

_Provenance = tuple[str, tuple[str, ...]]


def _damaged() -> ValueError:
    return ValueError("what is kept is no answer of this kind")


def _provenance(reply: ProviderReply) -> list[object]:
    return [reply.provider, list(reply.request_ids)]


def _tags(tags: tuple[Tag, ...]) -> list[object]:
    return [
        [
            tag.name,
            tag.confidence,
            tag.type,
            tag.localized_name.zh,
            tag.localized_name.en,
            tag.localized_type.zh,
            tag.localized_type.en,
            [[seen.box.left, seen.box.top, seen.box.width, seen.box.height, seen.confidence] for seen in tag.instances],
        ]
        for tag in tags
    ]


def _read_answer(name: str, provenance: _Provenance, rest: list[Any], picture: bytes) -> Answer:
    provider, request_ids = provenance
    if name == "whole":
        language, tags = rest
        return WholeTagging(TaggingReply(provider, _read_tags(tags), request_ids=request_ids), Language(language))
    (content,) = rest
    if name == "tagging":
        return TaggingReply(provider, _read_tags(content), request_ids=request_ids)
    if name == "enhancement":
        return EnhancementReply(provider, picture, _read_facts(content), request_ids=request_ids)
    return MusicReply(provider, None if content is None else _read_match(content), request_ids=request_ids)


def _read_tags(tags: object) -> tuple[Tag, ...]:
    return tuple(_read_tag(read_list(tag)) for tag in read_list(tags))


def _read_tag(tag: list[Any]) -> Tag:
    name, confidence, kind, zh, en, kind_zh, kind_en, instances = tag
    return Tag(
        name=read_text(name),
        confidence=read_percent(confidence),
        type=read_text(kind),
        localized_name=LocalizedText(read_text(zh), read_text(en)),
        localized_type=LocalizedText(read_text(kind_zh), read_text(kind_en)),
        instances=tuple([_read_instance(read_list(instance)) for instance in read_list(instances)]),
    )


def _read_instance(instance: list[Any]) -> TagInstance:
    *box, confidence = instance
    left, top, width, height = map(read_number, box)
    return TagInstance(Box(left, top, width, height), read_percent(confidence))


def _read_facts(facts: object) -> ImageFacts:
    name, *numbers = read_list(facts)
    width, height, orientation, size_bytes = map(read_count, numbers)
    return ImageFacts(read_text(name), width, height, orientation, size_bytes)


def _read_match(match: object) -> MusicMatch:
    name, confidence, offset = read_list(match)
    return MusicMatch(read_text(name), read_percent(confidence), read_number(offset))


def _read_error(members: list[Any]) -> GatewayError:
    reason, message, field, measured, allowed, detail = members
    if Reason(reason) not in IMAGE_REASONS:
        raise _damaged()
    return GatewayError(
        Reason(reason),
        read_text(message),
        field=read_text(field),
        measured=read_text(measured),
        allowed=read_text(allowed),
        upstream=None if detail is None else _read_detail(read_list(detail)),
    )


def _read_detail(detail: list[Any]) -> UpstreamDetail:
    error_code, http_status, request_id = detail
    return UpstreamDetail(read_text(error_code), read_count(http_status), read_text(request_id))
