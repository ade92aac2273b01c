"""Enhancing a picture: fetch → prepare → brighten, defog or enlarge."""

from dataclasses import dataclass
from typing import Final

from gateway.call import UNHURRIED, Call
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancedImage,
    EnhancementParameters,
    ImageFacts,
    ImageSource,
    UpscaleParameters,
)
from gateway.prepare import Operation
from gateway.provider import Provider
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Intake

_OPERATIONS: Final = {
    DarkEnhanceParameters: Operation.DARK_ENHANCE,
    DefogParameters: Operation.DEFOG,
    UpscaleParameters: Operation.SUPER_RESOLUTION,
}


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """What would be enhanced, by whom, and what would be done to it before. `prepare_time` is in seconds."""

    provider: str
    facts: ImageFacts
    actions: tuple[str, ...] = ()
    prepare_time: float = 0.0


class EnhanceImage:
    """Enhances one picture."""

    def __init__(self, chain: Chain, intake: Intake) -> None:
        self._chain = chain
        self._intake = intake

    async def __call__(self, source: ImageSource, parameters: EnhancementParameters, call: Call = UNHURRIED) -> EnhancedImage:
        """Do to `source` what the kind of `parameters` says. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider, shorter: self._enhanced(provider, source, parameters, shorter), call)

    async def validate(self, source: ImageSource, parameters: EnhancementParameters, call: Call = UNHURRIED) -> CheckedImage:
        """Take `source` in as if it were to be enhanced, and ask no provider. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider, _: self._validated(provider, source, parameters), call)

    async def _validated(self, provider: Provider, source: ImageSource, parameters: EnhancementParameters) -> CheckedImage:
        operation = _OPERATIONS[type(parameters)]
        image, prepare_time = await self._intake(source, operation, decodes_here=provider.decodes_here)
        return CheckedImage(provider.name, image.facts, tuple(map(str, image.actions)), prepare_time)

    async def _enhanced(
        self, provider: Provider, source: ImageSource, parameters: EnhancementParameters, call: Call
    ) -> EnhancedImage:
        operation = _OPERATIONS[type(parameters)]
        image, prepare_time = await self._intake(source, operation, decodes_here=provider.decodes_here)
        reply = await provider.enhance(image, parameters, call)
        return EnhancedImage(reply=reply, facts=image.facts, actions=tuple(map(str, image.actions)), prepare_time=prepare_time)
