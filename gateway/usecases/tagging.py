"""Image tagging: fetch → prepare → recognise → map back."""

import time
from collections.abc import Callable
from dataclasses import replace

from gateway.boxes import map_tags_back
from gateway.call import UNHURRIED, Call
from gateway.media import ImageSource, ImageUri, TaggedImage, TaggingParameters, TaggingReply
from gateway.obs import check_usable
from gateway.prepare import Operation, PrepareOptions
from gateway.provider import Provider
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Intake


class TagImage:
    """Tags one picture."""

    def __init__(self, chain: Chain, intake: Intake, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns seconds since the epoch, as signed URLs count them."""
        self._chain = chain
        self._intake = intake
        self._clock = clock

    @property
    def repairs(self) -> PrepareOptions:
        """What pictures may get before they are tagged."""
        return self._intake.options

    async def __call__(self, source: ImageSource, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggedImage:
        """Return the tags of `source`, their boxes in its own stored pixels. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider, shorter: self._tagged(provider, source, parameters, shorter), call)

    async def validate(self, source: ImageSource, call: Call = UNHURRIED) -> TaggedImage:
        """Take `source` in as if it were to be tagged, and ask no provider: an answer without tags. Raises `GatewayError`.

        What the provider would download is not looked at; of its URL, form and validity are.
        """
        if isinstance(source, ImageUri):
            check_usable(source.uri, self._clock(), None)
        async with call.bounded():
            return await self._chain.first(lambda provider, _: self._validated(provider, source), call)

    async def _validated(self, provider: Provider, source: ImageSource) -> TaggedImage:
        reply = TaggingReply(provider.name, (), attempts=0)
        if isinstance(source, ImageUri) and provider.downloads_images:
            return TaggedImage(reply)
        image, prepare_time = await self._intake(source, Operation.TAGGING, decodes_here=provider.decodes_here)
        return TaggedImage(reply, image.facts, tuple(map(str, image.actions)), prepare_time)

    async def _tagged(self, provider: Provider, source: ImageSource, parameters: TaggingParameters, call: Call) -> TaggedImage:
        if isinstance(source, ImageUri) and provider.downloads_images:
            return TaggedImage(reply=await provider.tag(source, parameters, call))
        image, prepare_time = await self._intake(source, Operation.TAGGING, decodes_here=provider.decodes_here)
        reply = await provider.tag(image, parameters, call)
        return TaggedImage(
            reply=replace(reply, tags=map_tags_back(reply.tags, image)) if image.sent is not None else reply,
            facts=image.facts,
            actions=tuple(map(str, image.actions)),
            prepare_time=prepare_time,
        )
