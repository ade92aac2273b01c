"""Protobuf messages ↔ the gateway's own values."""

from typing import Final

from google.protobuf import duration_pb2

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import (
    ImageContent,
    ImageSource,
    ImageUri,
    Language,
    LocalizedText,
    Tag,
    TaggedImage,
    TaggingParameters,
)

_LANGUAGES: Final = {pb.LANGUAGE_UNSPECIFIED: Language.ZH, pb.LANGUAGE_ZH: Language.ZH, pb.LANGUAGE_EN: Language.EN}


def read_source(request: pb.TagImageRequest | pb.StreamTagImagesItem) -> ImageSource:
    """Raises `GatewayError` if no source is set or the URL is not one."""
    source = request.WhichOneof("source")
    if source == "content":
        return ImageContent(request.content)
    if source == "uri":
        return ImageUri(request.uri)
    raise GatewayError(
        Reason.INVALID_ARGUMENT,
        "source is not set; give the picture's bytes in content, or its URL in uri",
        field="source",
    )


def read_parameters(parameters: pb.TaggingParameters) -> TaggingParameters:
    """Raises `GatewayError` naming the parameter that is out of range, relative to the message that holds them."""
    language = _LANGUAGES.get(parameters.language)
    if language is None:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"parameters.language is {parameters.language}; it must be LANGUAGE_ZH or LANGUAGE_EN",
            field="parameters.language",
            measured=str(parameters.language),
            allowed="LANGUAGE_ZH, LANGUAGE_EN",
        )
    defaults = TaggingParameters(language=language)
    return TaggingParameters(
        language=language,
        threshold=parameters.threshold if parameters.HasField("threshold") else defaults.threshold,
        limit=parameters.limit if parameters.HasField("limit") else defaults.limit,
    )


def write_response(tagged: TaggedImage) -> pb.TagImageResponse:
    """The response message for one tagged picture."""
    response = pb.TagImageResponse(
        tags=[_write_tag(tag) for tag in tagged.reply.tags],
        processing=pb.Processing(
            provider=tagged.reply.provider,
            preparation=tagged.actions,
            attempts=tagged.reply.attempts,
            upstream_request_ids=tagged.reply.request_ids,
            prepare_time=write_duration(tagged.prepare_time),
            queue_time=write_duration(tagged.reply.queue_time),
            provider_time=write_duration(tagged.reply.work_time),
        ),
    )
    if tagged.facts is not None:
        facts = tagged.facts
        response.image.CopyFrom(
            pb.ImageInfo(
                format=facts.format,
                width=facts.width,
                height=facts.height,
                orientation=facts.orientation,
                size_bytes=facts.size_bytes,
            )
        )
    return response


def write_duration(seconds: float) -> duration_pb2.Duration:
    """Seconds as a protobuf duration."""
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


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
