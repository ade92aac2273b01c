"""TaggingService: protobuf in, use case, protobuf out."""

import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any, NoReturn

from grpc import StatusCode, aio

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.calls import Calls
from gateway.rpc.convert import read_parameters, read_source, write_response
from gateway.rpc.status import to_status
from gateway.rpc.stream import TaggingStream
from gateway.usecases.tagging import TagImage

_log = logging.getLogger(__name__)

Context = aio.ServicerContext[Any, Any]


class TaggingServicer(pb_grpc.TaggingServiceServicer):
    """Serves `gateway.imagerecognition.v1.TaggingService`."""

    def __init__(self, tag_image: TagImage, calls: Calls, *, stream_window: int) -> None:
        self._tag_image = tag_image
        self._calls = calls
        self._stream_window = stream_window

    async def TagImage(self, request: pb.TagImageRequest, context: Context) -> pb.TagImageResponse:  # noqa: N802  # the contract's
        """Tag one picture."""
        try:
            with self._calls.entered():
                return await self._tag(request, request.parameters)
        except GatewayError as error:
            await _abort(context, error)

    async def StreamTagImages(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamTagImagesRequest], context: Context
    ) -> None:
        """Tag a stream of pictures."""
        stream = TaggingStream(self._answer, context.write, window=self._stream_window)
        try:
            with self._calls.entered():
                await stream.run(request_iterator)
        except GatewayError as error:
            await _abort(context, error)
        except ExceptionGroup:
            # Writing to a client that has gone away fails in each item's task; there is nobody left to tell.
            if not context.done():
                raise

    async def _answer(self, item: pb.StreamTagImagesItem, defaults: pb.TaggingParameters) -> pb.StreamTagImagesResult:
        """The outcome of one item, which is never an exception, short of cancellation."""
        try:
            if not 1 <= len(item.item_id) <= MAX_ITEM_ID_CHARS:
                raise _bad_item_id(len(item.item_id))
            response = await self._tag(item, item.parameters if item.HasField("parameters") else defaults)
        except GatewayError as error:
            return pb.StreamTagImagesResult(item_id=item.item_id, error=to_status(error))
        return pb.StreamTagImagesResult(item_id=item.item_id, response=response)

    async def _tag(
        self, request: pb.TagImageRequest | pb.StreamTagImagesItem, parameters: pb.TaggingParameters
    ) -> pb.TagImageResponse:
        try:
            return write_response(await self._tag_image(read_source(request), read_parameters(parameters)))
        except GatewayError:
            raise
        except Exception as error:
            incident = secrets.token_hex(8)
            _log.exception("incident %s", incident)
            raise GatewayError(Reason.INTERNAL, f"the gateway failed; its log has the details under {incident}") from error


MAX_ITEM_ID_CHARS = 1024


def _bad_item_id(length: int) -> GatewayError:
    return GatewayError(
        Reason.INVALID_ARGUMENT,
        f"item_id has {length} characters; it must have 1 to {MAX_ITEM_ID_CHARS}",
        field="item_id",
        measured=f"{length} characters",
        allowed=f"1 to {MAX_ITEM_ID_CHARS} characters",
    )


async def _abort(context: Context, error: GatewayError) -> NoReturn:
    status = to_status(error)
    code = next(code for code in StatusCode if code.value[0] == status.code)
    # The key under which every language's standard helper looks for the details.
    await context.abort(code, status.message, (("grpc-status-details-bin", status.SerializeToString()),))
    raise AssertionError  # abort always raises
