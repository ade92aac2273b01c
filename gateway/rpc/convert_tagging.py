"""Messages of the tagging service ↔ the gateway's own values."""

from typing import Final

from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import Language, LocalizedText, Tag, TaggedImage, TaggingParameters, TaggingVersion
from gateway.rpc.convert import EnumTable, read_float, write_info, write_processing

_LANGUAGES: Final = EnumTable(pb.Language, Language.ZH)

_VERSIONS: Final = EnumTable(pb.TaggingVersion, TaggingVersion.V2)


def read_parameters(parameters: pb.TaggingParameters) -> TaggingParameters:
    """Raises `GatewayError` naming the parameter that is out of range, relative to the message that holds them."""
    defaults = TaggingParameters.defaults(_VERSIONS.read(parameters.version, "parameters.version"))
    return TaggingParameters(
        language=_LANGUAGES.read(parameters.language, "parameters.language"),
        threshold=read_float(parameters.threshold) if parameters.HasField("threshold") else defaults.threshold,
        limit=parameters.limit if parameters.HasField("limit") else defaults.limit,
        version=defaults.version,
    )


def write_response(tagged: TaggedImage) -> pb.TagImageResponse:
    """The response message for one tagged picture."""
    return pb.TagImageResponse(
        tags=[_write_tag(tag) for tag in tagged.reply.tags],
        image=write_info(tagged.facts) if tagged.facts is not None else None,
        processing=write_processing(tagged.reply, tagged.actions, tagged.prepare_time),
    )


def _write_tag(tag: Tag) -> pb.Tag:
    return pb.Tag(
        name=tag.name,
        confidence=tag.confidence,
        type=tag.type,
        localized_name=_write_text(tag.localized_name),
        localized_type=_write_text(tag.localized_type),
        instances=[
            pb.TagInstance(
                bounding_box=pb.BoundingBox(
                    left=instance.box.left, top=instance.box.top, width=instance.box.width, height=instance.box.height
                ),
                confidence=instance.confidence,
            )
            for instance in tag.instances
        ],
    )


def _write_text(text: LocalizedText) -> pb.LocalizedText:
    return pb.LocalizedText(zh=text.zh, en=text.en)
