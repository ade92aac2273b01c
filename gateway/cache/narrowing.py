"""From all tags of a picture to those that one call asked for: what the provider itself would have answered it."""

from dataclasses import replace

from gateway.cache.codec import WholeTagging
from gateway.media import (
    LIMIT_RANGE,
    THRESHOLD_RANGE,
    Language,
    LocalizedText,
    TaggingParameters,
    TaggingReply,
    TaggingVersion,
    historical,
)


def widened(parameters: TaggingParameters) -> TaggingParameters:
    """What to ask instead: everything, in that language and of that version."""
    return replace(parameters, threshold=THRESHOLD_RANGE[0], limit=LIMIT_RANGE[1])


def chosen(reply: TaggingReply, parameters: TaggingParameters) -> TaggingReply:
    """Those tags of `reply`, which has all of them in that language, that `parameters` ask for."""
    tags = tuple(tag for tag in reply.tags if tag.confidence >= parameters.threshold)[: parameters.limit]
    return replace(reply, tags=historical(tags) if parameters.version is TaggingVersion.V1 else tags)


def narrowed(whole: WholeTagging, parameters: TaggingParameters) -> TaggingReply | None:
    """Likewise, of tags in whatever language; None if one that is asked for has no name in the language that is."""
    reply = chosen(whole.reply, parameters)
    if whole.language is parameters.language:
        return reply
    tags = [replace(tag, name=_exactly(tag.localized_name, parameters.language)) for tag in reply.tags]
    return replace(reply, tags=tuple(tags)) if all(tag.name for tag in tags) else None


def _exactly(text: LocalizedText, language: Language) -> str:
    return text.zh if language is Language.ZH else text.en
