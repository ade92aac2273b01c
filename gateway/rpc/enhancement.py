"""EnhancementService: protobuf in, use case, protobuf out."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.media import EnhancementParameters
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.convert import Sourced, read_source
from gateway.rpc.convert_enhancement import read_dark_enhance, read_defog, read_upscale, write_enhanced
from gateway.usecases.enhancement import EnhanceImage

MAX_REPLY_BYTES: Final = 64 << 20
"""The longest file of a reply."""


class _EnhancementRequest(Sourced, Protocol):
    @property
    def cache(self) -> int: ...


_Request = TypeVar("_Request", bound=_EnhancementRequest)
_Response = TypeVar("_Response")


class EnhancementServicer(pb_grpc.EnhancementServiceServicer):
    """Serves `gateway.imagerecognition.v1.EnhancementService`."""

    def __init__(self, enhance_image: EnhanceImage, calls: Calls) -> None:
        self._enhance_image = enhance_image
        self._calls = calls

    async def EnhanceDarkImage(  # noqa: N802  # the contract's
        self, request: pb.EnhanceDarkImageRequest, context: Context
    ) -> pb.EnhanceDarkImageResponse:
        """Brighten one picture."""
        reply = partial(self._reply, pb.EnhanceDarkImageResponse, request, read_dark_enhance, context)
        return await answered(context, self._calls, reply)

    async def DefogImage(self, request: pb.DefogImageRequest, context: Context) -> pb.DefogImageResponse:  # noqa: N802  # the contract's
        """Remove haze from one picture."""
        return await answered(context, self._calls, partial(self._reply, pb.DefogImageResponse, request, read_defog, context))

    async def UpscaleImage(  # noqa: N802  # the contract's
        self, request: pb.UpscaleImageRequest, context: Context
    ) -> pb.UpscaleImageResponse:
        """Enlarge one picture."""
        return await answered(context, self._calls, partial(self._reply, pb.UpscaleImageResponse, request, read_upscale, context))

    async def _reply(
        self,
        response: Callable[..., _Response],
        request: _Request,
        read: Callable[[_Request], EnhancementParameters],
        context: Context,
    ) -> _Response:
        with incidents():
            call = with_cache(read_caller(context), request.cache)
            enhanced = await self._enhance_image(read_source(request), read(request), call)
            _check_length(len(enhanced.reply.image))
            return response(enhanced=write_enhanced(enhanced))


def _check_length(length: int) -> None:
    if length > MAX_REPLY_BYTES:
        raise GatewayError(
            Reason.RESULT_TOO_LARGE,
            f"the result is {length} bytes long; a reply holds at most {MAX_REPLY_BYTES}: send a smaller picture",
            measured=f"{length} bytes",
            allowed=f"at most {MAX_REPLY_BYTES} bytes",
        )
