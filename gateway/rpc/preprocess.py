"""PreprocessService: protobuf in, use case, protobuf out."""

from collections.abc import AsyncIterator, Iterator

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.authentication import current_caller
from gateway.rpc.caller import read_caller
from gateway.rpc.calls import Calls
from gateway.rpc.chunks import MAX_REPLY_BYTES, chunked, sha256_of
from gateway.rpc.convert import check_item_id, read_source
from gateway.rpc.convert_preprocess import read_operation, read_options, write_inspection, write_preparation
from gateway.rpc.item import observed_item
from gateway.rpc.status import to_status
from gateway.rpc.stream import Answer, ItemStream, StreamKind, answered_stream
from gateway.rpc.turns import Admitted, admitted
from gateway.usecases.preprocessing import Preparation, Preprocess


class PreprocessServicer(pb_grpc.PreprocessServiceServicer):
    """Serves `gateway.imagerecognition.v1.PreprocessService`."""

    def __init__(self, preprocess: Preprocess, calls: Calls, *, stream_window: int) -> None:
        self._preprocess = preprocess
        self._calls = calls
        self.stream_window = stream_window

    async def InspectImage(  # noqa: N802  # the contract's
        self, request: pb.InspectImageRequest, context: Context
    ) -> pb.InspectImageResponse:
        """Look at one picture."""
        return await answered(context, self._calls, lambda: self._inspect(request))

    async def PrepareImage(  # noqa: N802  # the contract's
        self, request: pb.PrepareImageRequest, context: Context
    ) -> pb.PrepareImageResponse:
        """Prepare one picture."""
        return await answered(context, self._calls, lambda: self._reply(request))

    async def StreamPrepareImages(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamPrepareImagesRequest], context: Context
    ) -> None:
        """Prepare a stream of pictures."""
        caller, call = current_caller(), read_caller(context)
        kind = StreamKind(
            config=pb.StreamPrepareImagesConfig(),
            check=self._check,
            admit=lambda _: admitted(caller, call),
            answer=self._answer,
            close=lambda summary: pb.StreamPrepareImagesResponse(summary=summary),
            returns_files=True,
        )
        stream = ItemStream(kind, context.write, window=self.stream_window)
        await answered_stream(context, self._calls, lambda: stream, request_iterator)

    async def _inspect(self, request: pb.InspectImageRequest) -> pb.InspectImageResponse:
        with incidents(), current_caller().picture():
            source, operation = read_source(request), read_operation(request.operation)
            return write_inspection(await self._preprocess.inspect(source, operation, read_options(request.options)))

    async def _reply(self, request: pb.PrepareImageRequest) -> pb.PrepareImageResponse:
        with incidents(), current_caller().picture():
            preparation = await self._prepare(request, request.operation, request.options)
            response = pb.PrepareImageResponse(preparation=write_preparation(preparation))
            if _is_unchanged(request, preparation):
                response.unchanged = True
                return response
            data = preparation.image.data
            if len(data) > MAX_REPLY_BYTES:
                raise _too_large(len(data))
            response.content = data
            return response

    def _check(self, config: pb.StreamPrepareImagesConfig) -> None:
        read_operation(config.operation)
        self._preprocess.check_options(read_options(config.options))

    async def _answer(
        self, item: pb.StreamPrepareImagesItem, config: pb.StreamPrepareImagesConfig, admitted: Admitted
    ) -> Answer[pb.StreamPrepareImagesResponse]:
        """The outcome of one item, which is never an exception, short of cancellation."""
        header = pb.StreamPrepareImagesHeader(item_id=item.item_id)
        try:
            with observed_item(), incidents():
                check_item_id(item.item_id)
                admitted.check()
                options = item.options if item.HasField("options") else config.options
                preparation = await self._prepare(item, config.operation, options)
                data, unchanged = preparation.image.data, _is_unchanged(item, preparation)
                header.file.CopyFrom(
                    pb.PreparedFile(preparation=write_preparation(preparation), sha256=await sha256_of(data), unchanged=unchanged)
                )
        except GatewayError as error:
            header.error.CopyFrom(to_status(error))
            return Answer([pb.StreamPrepareImagesResponse(header=header)], succeeded=False)
        return Answer(_pieces(header, b"" if unchanged else data), succeeded=True)

    async def _prepare(
        self,
        request: pb.PrepareImageRequest | pb.StreamPrepareImagesItem,
        operation: pb.Operation.ValueType,
        options: pb.PrepareOptions,
    ) -> Preparation:
        return await self._preprocess.prepare(read_source(request), read_operation(operation), read_options(options))


def _is_unchanged(request: pb.PrepareImageRequest | pb.StreamPrepareImagesItem, preparation: Preparation) -> bool:
    """Whether the caller has the file already. What a URL led to, it has not."""
    return preparation.image.sent is None and request.WhichOneof("source") == "content"


def _pieces(header: pb.StreamPrepareImagesHeader, data: bytes) -> Iterator[pb.StreamPrepareImagesResponse]:
    """The messages of one item, each made when its turn has come."""
    yield pb.StreamPrepareImagesResponse(header=header)
    for offset, piece in chunked(data):
        chunk = pb.StreamPrepareImagesChunk(item_id=header.item_id, offset=offset, data=piece)
        yield pb.StreamPrepareImagesResponse(chunk=chunk)


def _too_large(size: int) -> GatewayError:
    return GatewayError(
        Reason.RESULT_TOO_LARGE,
        f"the prepared file has {size} bytes and one reply holds at most {MAX_REPLY_BYTES}: set options.max_bytes to "
        f"{MAX_REPLY_BYTES} or less, or use StreamPrepareImages, which returns files of any length",
        field="options.max_bytes",
        measured=f"{size} bytes",
        allowed=f"at most {MAX_REPLY_BYTES} bytes",
    )
