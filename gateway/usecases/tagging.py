"""Image tagging: fetch → prepare → recognise."""

import time
from typing import Protocol

from gateway.media import ImageSource, ImageUri, TaggedImage, TaggingParameters
from gateway.prepare import prepare
from gateway.usecases.provider import Provider


class Fetcher(Protocol):
    """Downloads pictures."""

    async def fetch(self, uri: str) -> bytes:
        """Return the bytes behind `uri`. Raises `GatewayError`."""


class TagImage:
    """Tags one picture."""

    def __init__(self, provider: Provider, fetcher: Fetcher) -> None:
        self._provider = provider
        self._fetcher = fetcher

    async def __call__(self, source: ImageSource, parameters: TaggingParameters) -> TaggedImage:
        """Return the tags of `source`. Raises `GatewayError`."""
        started_at = time.perf_counter()
        if isinstance(source, ImageUri) and self._provider.accepts_uris:
            return TaggedImage(reply=await self._provider.tag(source, parameters))
        data = await self._fetcher.fetch(source.uri) if isinstance(source, ImageUri) else source.data
        image = prepare(data)
        prepare_time = time.perf_counter() - started_at
        reply = await self._provider.tag(image, parameters)
        return TaggedImage(reply=reply, facts=image.facts, actions=image.actions, prepare_time=prepare_time)
