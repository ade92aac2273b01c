"""EnhancementService: protobuf in, use case, protobuf out."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from grpc import aio

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import file_pb2
from gateway.media import EnhancedImage, EnhancementParameters, ImageSource
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.authentication import current_caller
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.chunks import MAX_REPLY_BYTES, chunked, sha256_of
from gateway.rpc.convert import Sourced, read_source
from gateway.rpc.convert_enhancement import (
    read_dark_enhance,
    read_defog,
    read_upscale,
    write_checked,
    write_checked_file,
    write_enhanced,
    write_enhanced_file,
)
from gateway.rpc.upload import UPLOAD_LIMITS, Upload, UploadConfig, UploadLimits, UploadMessage, accept
from gateway.usecases.enhancement import CheckedImage, EnhanceImage


class _EnhancementRequest(Sourced, Protocol):
    @property
    def cache(self) -> int: ...
    @property
    def validate_only(self) -> bool: ...


_Request = TypeVar("_Request", bound=_EnhancementRequest)
_Response = TypeVar("_Response")
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class _Method(Generic[_Request, _Response, _Part]):
    """What tells one operation from the others. `streaming`: the name of the call that gives its results in chunks."""

    streaming: str
    read: Callable[[_Request], EnhancementParameters]
    response: Callable[..., _Response]
    part: Callable[..., _Part]


_DARK: Final = _Method(
    "StreamEnhanceDarkImage", read_dark_enhance, pb.EnhanceDarkImageResponse, pb.StreamEnhanceDarkImageResponse
)
_DEFOG: Final = _Method("StreamDefogImage", read_defog, pb.DefogImageResponse, pb.StreamDefogImageResponse)
_UPSCALE: Final = _Method("StreamUpscaleImage", read_upscale, pb.UpscaleImageResponse, pb.StreamUpscaleImageResponse)


class EnhancementServicer(pb_grpc.EnhancementServiceServicer):
    """Serves `gateway.imagerecognition.v1.EnhancementService`."""

    def __init__(self, enhance_image: EnhanceImage, calls: Calls, limits: UploadLimits = UPLOAD_LIMITS) -> None:
        """`limits` are those of pictures that come in chunks."""
        self._enhance_image = enhance_image
        self._calls = calls
        self.limits = limits

    async def EnhanceDarkImage(  # noqa: N802  # the contract's
        self, request: pb.EnhanceDarkImageRequest, context: Context
    ) -> pb.EnhanceDarkImageResponse:
        """Brighten one picture."""
        return await answered(context, self._calls, lambda: self._reply(_DARK, request, context))

    async def DefogImage(self, request: pb.DefogImageRequest, context: Context) -> pb.DefogImageResponse:  # noqa: N802  # the contract's
        """Remove haze from one picture."""
        return await answered(context, self._calls, lambda: self._reply(_DEFOG, request, context))

    async def UpscaleImage(  # noqa: N802  # the contract's
        self, request: pb.UpscaleImageRequest, context: Context
    ) -> pb.UpscaleImageResponse:
        """Enlarge one picture."""
        return await answered(context, self._calls, lambda: self._reply(_UPSCALE, request, context))

    async def StreamEnhanceDarkImage(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamEnhanceDarkImageRequest], context: Context
    ) -> None:
        """Brighten one picture, in chunks."""
        await answered(context, self._calls, lambda: self._stream(_DARK, request_iterator, context))

    async def StreamDefogImage(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamDefogImageRequest], context: Context
    ) -> None:
        """Remove haze from one picture, in chunks."""
        await answered(context, self._calls, lambda: self._stream(_DEFOG, request_iterator, context))

    async def StreamUpscaleImage(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamUpscaleImageRequest], context: Context
    ) -> None:
        """Enlarge one picture, in chunks."""
        await answered(context, self._calls, lambda: self._stream(_UPSCALE, request_iterator, context))

    async def _reply(self, method: _Method[_Request, _Response, _Part], request: _Request, context: Context) -> _Response:
        with incidents(), current_caller().picture():
            call = with_cache(read_caller(context), request.cache)
            outcome = await self._outcome(request.validate_only, read_source(request), method.read(request), call)
            if isinstance(outcome, CheckedImage):
                return method.response(enhanced=write_checked(outcome))
            length = len(outcome.reply.image)
            if length > MAX_REPLY_BYTES:
                raise _too_large(length, method.streaming)
            return method.response(enhanced=write_enhanced(outcome))

    async def _stream(
        self,
        method: _Method[_Request, _Response, _Part],
        messages: AsyncIterator[UploadMessage[UploadConfig[_Request]]],
        context: Context,
    ) -> None:
        with incidents():
            outcome = await self._uploaded(method, Upload(messages, self.limits), context)
            if isinstance(outcome, CheckedImage):
                header, data = write_checked_file(outcome), b""
            else:
                data = outcome.reply.image
                header = write_enhanced_file(outcome, await sha256_of(data))
        # Writing to a client that has gone away fails, often before gRPC cancels the handler; there is nobody left to tell.
        with contextlib.suppress(aio.InternalError):
            for part in _parts(method.part, header, data):
                await context.write(part)

    async def _uploaded(
        self, method: _Method[_Request, Any, Any], upload: Upload[UploadConfig[_Request]], context: Context
    ) -> EnhancedImage | CheckedImage:
        """Once it returns, what was sent is held no more."""
        config = await upload.config()
        parameters = method.read(config.request)
        call = with_cache(read_caller(context), config.request.cache)
        with current_caller().picture(), self._calls.held.admitted(upload.size(config)):
            await accept(context)
            return await self._outcome(config.request.validate_only, await upload.source(config), parameters, call)

    async def _outcome(
        self, validate_only: bool, source: ImageSource, parameters: EnhancementParameters, call: Call
    ) -> EnhancedImage | CheckedImage:
        work = self._enhance_image.validate if validate_only else self._enhance_image
        return await work(source, parameters, call)


def _parts(part: Callable[..., _Part], header: pb.EnhancedFile, data: bytes) -> Iterator[_Part]:
    """The messages of one result, each made when its turn has come."""
    yield part(header=header)
    for offset, piece in chunked(data):
        yield part(chunk=file_pb2.FileChunk(offset=offset, data=piece))


def _too_large(length: int, streaming: str) -> GatewayError:
    return GatewayError(
        Reason.RESULT_TOO_LARGE,
        f"the result is {length} bytes long and a reply holds at most {MAX_REPLY_BYTES}: use {streaming}, which returns results "
        "of any length",
        measured=f"{length} bytes",
        allowed=f"at most {MAX_REPLY_BYTES} bytes",
    )
