"""Enhancement over gRPC, for asyncio."""

from typing import Final

from gateway.call import CacheUse
from gateway.client.channel import Connected
from gateway.client.convert import CACHE_CONTROLS, read_facts, read_origin, write_source
from gateway.client.exchange import answer_to
from gateway.client.session import check_size
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancedImage,
    EnhancementParameters,
    EnhancementReply,
    ImageSource,
    UpscaleModel,
    UpscaleParameters,
)

_MAX_REPLY_BYTES: Final = 65 << 20
"""Above the longest file that the service returns."""

_MODELS: Final = {UpscaleModel.ESPCN: pb.UPSCALE_MODEL_ESPCN, UpscaleModel.SRCNN: pb.UPSCALE_MODEL_SRCNN}


class EnhancementClient(Connected):
    """Has one gateway enhance pictures. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`."""
        super().__init__(target, max_reply_bytes=_MAX_REPLY_BYTES)
        self._stub = pb_grpc.EnhancementServiceStub(self._channel)

    async def enhance(
        self,
        source: ImageSource,
        parameters: EnhancementParameters,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> EnhancedImage:
        """Brighten, defog or enlarge one picture, as the kind of `parameters` says. `timeout` is in seconds.

        Raises `GatewayError`.
        """
        check_size(source)
        common = {"cache": CACHE_CONTROLS[cache], **write_source(source)}
        response: pb.EnhanceDarkImageResponse | pb.DefogImageResponse | pb.UpscaleImageResponse
        match parameters:
            case DarkEnhanceParameters(brightness):
                dark = pb.EnhanceDarkImageRequest(brightness=brightness, **common)
                response = await answer_to(self._stub.EnhanceDarkImage(dark, timeout=timeout))
            case DefogParameters(gamma, natural_look):
                hazy = pb.DefogImageRequest(gamma=gamma, natural_look=natural_look, **common)
                response = await answer_to(self._stub.DefogImage(hazy, timeout=timeout))
            case UpscaleParameters(scale, model):
                small = pb.UpscaleImageRequest(scale=scale, model=_MODELS[model], **common)
                response = await answer_to(self._stub.UpscaleImage(small, timeout=timeout))
        return _read(response.enhanced)


def _read(enhanced: pb.EnhancedImage) -> EnhancedImage:
    processing = enhanced.processing
    return EnhancedImage(
        reply=EnhancementReply(image=enhanced.content, facts=read_facts(enhanced.image), **read_origin(processing)),
        facts=read_facts(enhanced.original),
        actions=tuple(processing.preparation),
        prepare_time=processing.prepare_time.ToTimedelta().total_seconds(),
    )
