"""TaggingService: protobuf in, use case, protobuf out."""

from collections.abc import AsyncIterator
from functools import partial

from gateway.call import Call
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.convert import check_item_id, read_cache_use, read_source
from gateway.rpc.convert_tagging import read_parameters, write_response
from gateway.rpc.status import to_status
from gateway.rpc.stream import Answer, ItemStream, StreamKind, answered_stream
from gateway.usecases.tagging import TagImage


class TaggingServicer(pb_grpc.TaggingServiceServicer):
    """Serves `gateway.imagerecognition.v1.TaggingService`."""

    def __init__(self, tag_image: TagImage, calls: Calls, *, stream_window: int) -> None:
        self._tag_image = tag_image
        self._calls = calls
        self._stream_window = stream_window

    async def TagImage(self, request: pb.TagImageRequest, context: Context) -> pb.TagImageResponse:  # noqa: N802  # the contract's
        """Tag one picture."""
        return await answered(context, self._calls, lambda: self._tagged(request, context))

    async def StreamTagImages(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamTagImagesRequest], context: Context
    ) -> None:
        """Tag a stream of pictures."""

        def opened() -> ItemStream[pb.StreamTagImagesConfig, pb.StreamTagImagesItem, pb.StreamTagImagesResponse]:
            kind = StreamKind(
                config=pb.StreamTagImagesConfig(),
                check=_check,
                answer=partial(self._answer, read_caller(context)),
                close=lambda summary: pb.StreamTagImagesResponse(summary=summary),
            )
            return ItemStream(kind, context.write, window=self._stream_window)

        await answered_stream(context, self._calls, opened, request_iterator)

    async def _tagged(self, request: pb.TagImageRequest, context: Context) -> pb.TagImageResponse:
        return await self._tag(request, request.parameters, with_cache(read_caller(context), request.cache))

    async def _answer(
        self, call: Call, item: pb.StreamTagImagesItem, config: pb.StreamTagImagesConfig
    ) -> Answer[pb.StreamTagImagesResponse]:
        """The outcome of one item, which is never an exception, short of cancellation."""
        try:
            check_item_id(item.item_id)
            parameters = item.parameters if item.HasField("parameters") else config.parameters
            response = await self._tag(item, parameters, with_cache(call, item.cache, config.cache))
        except GatewayError as error:
            result = pb.StreamTagImagesResult(item_id=item.item_id, error=to_status(error))
        else:
            result = pb.StreamTagImagesResult(item_id=item.item_id, response=response)
        return Answer([pb.StreamTagImagesResponse(result=result)], succeeded=result.HasField("response"))

    async def _tag(
        self, request: pb.TagImageRequest | pb.StreamTagImagesItem, parameters: pb.TaggingParameters, call: Call
    ) -> pb.TagImageResponse:
        with incidents():
            return write_response(await self._tag_image(read_source(request), read_parameters(parameters), call))


def _check(config: pb.StreamTagImagesConfig) -> None:
    read_parameters(config.parameters)
    read_cache_use(config.cache)
