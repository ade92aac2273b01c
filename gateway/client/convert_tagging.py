"""Messages of the tagging service ↔ the values that Python users see."""

from typing import Final

from gateway.client.convert import read_facts, read_origin
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import (
    Box,
    Language,
    LocalizedText,
    Tag,
    TaggedImage,
    TaggingParameters,
    TaggingReply,
    TaggingVersion,
    TagInstance,
)

_LANGUAGES: Final = {Language.ZH: pb.LANGUAGE_ZH, Language.EN: pb.LANGUAGE_EN}

_VERSIONS: Final = {TaggingVersion.V1: pb.TAGGING_VERSION_V1, TaggingVersion.V2: pb.TAGGING_VERSION_V2}


def write_parameters(parameters: TaggingParameters) -> pb.TaggingParameters:
    """The message for `parameters`."""
    return pb.TaggingParameters(
        language=_LANGUAGES[parameters.language],
        threshold=parameters.threshold,
        limit=parameters.limit,
        version=_VERSIONS[parameters.version],
    )


def read_response(response: pb.TagImageResponse) -> TaggedImage:
    """What a response says."""
    processing = response.processing
    return TaggedImage(
        reply=TaggingReply(tags=tuple(_read_tag(tag) for tag in response.tags), **read_origin(processing)),
        facts=read_facts(response.image) if response.HasField("image") else None,
        actions=tuple(processing.preparation),
        prepare_time=processing.prepare_time.ToTimedelta().total_seconds(),
        replayed=processing.replayed,
    )


def _read_tag(tag: pb.Tag) -> Tag:
    return Tag(
        name=tag.name,
        confidence=tag.confidence,
        type=tag.type,
        localized_name=_read_text(tag.localized_name),
        localized_type=_read_text(tag.localized_type),
        instances=tuple(_read_instance(instance) for instance in tag.instances),
    )


def _read_instance(instance: pb.TagInstance) -> TagInstance:
    box = instance.bounding_box
    return TagInstance(box=Box(left=box.left, top=box.top, width=box.width, height=box.height), confidence=instance.confidence)


def _read_text(text: pb.LocalizedText) -> LocalizedText:
    return LocalizedText(zh=text.zh, en=text.en)
