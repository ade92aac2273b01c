"""Protobuf messages of the gateway's contract ↔ the values that Python users see."""

from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import (
    Box,
    ImageContent,
    ImageFacts,
    ImageSource,
    Language,
    LocalizedText,
    ProviderReply,
    Tag,
    TaggedImage,
    TaggingParameters,
    TagInstance,
)

_LANGUAGES: Final = {Language.ZH: pb.LANGUAGE_ZH, Language.EN: pb.LANGUAGE_EN}


def write_parameters(parameters: TaggingParameters) -> pb.TaggingParameters:
    """The message for `parameters`."""
    return pb.TaggingParameters(language=_LANGUAGES[parameters.language], threshold=parameters.threshold, limit=parameters.limit)


def write_request(source: ImageSource, parameters: TaggingParameters) -> pb.TagImageRequest:
    """A unary request."""
    sent = write_parameters(parameters)
    if isinstance(source, ImageContent):
        return pb.TagImageRequest(content=source.data, parameters=sent)
    return pb.TagImageRequest(uri=source.uri, parameters=sent)


def write_item(item_id: str, source: ImageSource) -> pb.StreamTagImagesRequest:
    """One item of a stream."""
    if isinstance(source, ImageContent):
        return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, content=source.data))
    return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, uri=source.uri))


def read_response(response: pb.TagImageResponse | None) -> TaggedImage:
    """What a response says. Raises `GatewayError` for None, which is what grpcio makes of bytes that are no message."""
    if response is None:
        raise GatewayError(Reason.INTERNAL, "the gateway's answer is not one of the contract's")
    processing = response.processing
    return TaggedImage(
        reply=ProviderReply(
            provider=processing.provider,
            tags=tuple(_read_tag(tag) for tag in response.tags),
            attempts=processing.attempts,
            request_ids=tuple(processing.upstream_request_ids),
            queue_time=processing.queue_time.ToTimedelta().total_seconds(),
            work_time=processing.provider_time.ToTimedelta().total_seconds(),
        ),
        facts=_read_facts(response.image) if response.HasField("image") else None,
        actions=tuple(processing.preparation),
        prepare_time=processing.prepare_time.ToTimedelta().total_seconds(),
    )


def _read_facts(image: pb.ImageInfo) -> ImageFacts:
    return ImageFacts(
        format=image.format,
        width=image.width,
        height=image.height,
        orientation=image.orientation,
        size_bytes=image.size_bytes,
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
