"""Enhancement over gRPC, for asyncio."""

from collections.abc import Callable
from typing import Any, Final

import grpc

from gateway.call import CacheUse
from gateway.client.assembly import Assembly
from gateway.client.channel import Connected, Target
from gateway.client.convert import CACHE_CONTROLS, not_the_contract, read_facts, read_origin
from gateway.client.errors import read_call_error
from gateway.client.upload import announced, send, with_uri
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import file_pb2
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

_MODELS: Final = {UpscaleModel.ESPCN: pb.UPSCALE_MODEL_ESPCN, UpscaleModel.SRCNN: pb.UPSCALE_MODEL_SRCNN}


class EnhancementClient(Connected):
    """Has one gateway enhance pictures. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: Target) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too."""
        super().__init__(target)
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

        Picture and result travel in chunks, so that neither is bound to what one message holds; the result's length and SHA-256
        are checked. Raises `GatewayError`.
        """
        common = {"cache": CACHE_CONTROLS[cache], **with_uri(source)}
        call, message, config = self._begun(parameters, common, await announced(source), timeout)
        try:
            await send(call, message, config, source)
            return await _received(call)
        except grpc.aio.AioRpcError as error:
            raise read_call_error(error) from error
        finally:
            call.cancel()  # for a caller that is cancelled; without effect once the call has ended

    def _begun(
        self,
        parameters: EnhancementParameters,
        common: dict[str, Any],
        upload: file_pb2.FileInfo | None,
        timeout: float | None,
    ) -> tuple[Any, Callable[..., Any], Any]:
        """The call, what makes its messages, and what is asked."""
        match parameters:
            case DarkEnhanceParameters(brightness):
                dark = pb.EnhanceDarkImageRequest(brightness=brightness, **common)
                dark_config = pb.StreamEnhanceDarkImageConfig(request=dark, upload=upload)
                return self._stub.StreamEnhanceDarkImage(timeout=timeout), pb.StreamEnhanceDarkImageRequest, dark_config
            case DefogParameters(gamma, natural_look):
                hazy = pb.DefogImageRequest(gamma=gamma, natural_look=natural_look, **common)
                hazy_config = pb.StreamDefogImageConfig(request=hazy, upload=upload)
                return self._stub.StreamDefogImage(timeout=timeout), pb.StreamDefogImageRequest, hazy_config
            case UpscaleParameters(scale, model):
                small = pb.UpscaleImageRequest(scale=scale, model=_MODELS[model], **common)
                small_config = pb.StreamUpscaleImageConfig(request=small, upload=upload)
                return self._stub.StreamUpscaleImage(timeout=timeout), pb.StreamUpscaleImageRequest, small_config


async def _received(call: Any) -> EnhancedImage:  # noqa: ANN401  # gRPC's
    """The result that comes over `call`."""
    first = await call.read()
    if first is grpc.aio.EOF or first is None or first.WhichOneof("payload") != "header":
        raise not_the_contract()
    header = first.header
    file = Assembly(header.file.size_bytes, header.file.sha256)
    while (part := await call.read()) is not grpc.aio.EOF:
        if part is None or part.WhichOneof("payload") != "chunk":  # None is what grpcio makes of bytes that are no message
            raise not_the_contract()
        file.add(part.chunk.offset, part.chunk.data)
    if not file.is_complete:
        raise not_the_contract()
    return _read(header, file.whole())


def _read(header: pb.EnhancedFile, image: bytes) -> EnhancedImage:
    processing = header.processing
    return EnhancedImage(
        reply=EnhancementReply(image=image, facts=read_facts(header.image), **read_origin(processing)),
        facts=read_facts(header.original),
        actions=tuple(processing.preparation),
        prepare_time=processing.prepare_time.ToTimedelta().total_seconds(),
    )
