"""Image tagging: fetch → prepare → recognise."""

import time
from dataclasses import replace
from typing import Protocol

from gateway.media import ImageSource, ImageUri, PreparedImage, ProviderReply, TaggedImage, TaggingParameters
from gateway.prepare import Operation, PrepareOptions, Preparer, map_back
from gateway.usecases.provider import Provider


class Fetcher(Protocol):
    """Downloads pictures."""

    async def fetch(self, uri: str) -> bytes:
        """Return the bytes behind `uri`. Raises `GatewayError`."""


class TagImage:
    """Tags one picture."""

    def __init__(self, provider: Provider, fetcher: Fetcher, preparer: Preparer, options: PrepareOptions) -> None:
        """`options` are the repairs that pictures may get."""
        self._provider = provider
        self._fetcher = fetcher
        self._preparer = preparer
        self._options = options

    async def __call__(self, source: ImageSource, parameters: TaggingParameters) -> TaggedImage:
        """Return the tags of `source`, their boxes in its own stored pixels. Raises `GatewayError`."""
        started_at = time.perf_counter()
        if isinstance(source, ImageUri) and self._provider.accepts_uris:
            return TaggedImage(reply=await self._provider.tag(source, parameters))
        data = await self._fetcher.fetch(source.uri) if isinstance(source, ImageUri) else source.data
        image = await self._prepared(data)
        prepare_time = time.perf_counter() - started_at
        reply = await self._provider.tag(image, parameters)
        return TaggedImage(
            reply=_mapped_back(reply, image),
            facts=image.facts,
            actions=tuple(map(str, image.actions)),
            prepare_time=prepare_time,
        )

    async def _prepared(self, data: bytes) -> PreparedImage:
        if self._provider.decodes_here and not self._options.allow_other_formats:
            return self._preparer.check(data, Operation.TAGGING, self._options)
        return await self._preparer.prepare(data, Operation.TAGGING, self._options)


def _mapped_back(reply: ProviderReply, image: PreparedImage) -> ProviderReply:
    if image.sent is None:
        return reply
    return replace(
        reply,
        tags=tuple(
            replace(tag, instances=tuple(replace(instance, box=map_back(instance.box, image)) for instance in tag.instances))
            for tag in reply.tags
        ),
    )
