"""Image tagging: fetch → prepare → recognise → map back."""

from dataclasses import replace

from gateway.boxes import map_tags_back
from gateway.call import UNHURRIED, Call
from gateway.media import ImageSource, ImageUri, TaggedImage, TaggingParameters
from gateway.prepare import Operation
from gateway.provider import Provider
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Intake


class TagImage:
    """Tags one picture."""

    def __init__(self, chain: Chain, intake: Intake) -> None:
        self._chain = chain
        self._intake = intake

    async def __call__(self, source: ImageSource, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggedImage:
        """Return the tags of `source`, their boxes in its own stored pixels. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider: self._tagged(provider, source, parameters, call))

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
