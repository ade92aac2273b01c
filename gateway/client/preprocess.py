"""Preparation over gRPC, for asyncio."""

import contextlib
from collections.abc import AsyncGenerator

from gateway.client.channel import Connected, Target
from gateway.client.convert import not_the_contract, write_source
from gateway.client.convert_preprocess import read_inspection, read_preparation, write_operation, write_options
from gateway.client.exchange import answer_to, outcomes_of
from gateway.client.flow import ONE_CALL, Resumption, StreamFlow
from gateway.client.pieces import PieceReader
from gateway.client.session import Item, Items, Session, check_size
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import stream_pb2
from gateway.media import ImageContent, ImageSource
from gateway.prepare import Operation, PrepareOptions
from gateway.usecases.preprocessing import Inspection, Preparation

PreparedItem = Item[Preparation]


class PreprocessClient(Connected):
    """Has one gateway look at pictures and make them fit. Use it inside one event loop, and close it by `async with` or
    `aclose()`."""

    def __init__(self, target: Target) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too."""
        super().__init__(target)
        self._stub = pb_grpc.PreprocessServiceStub(self._channel)

    async def inspect(
        self,
        source: ImageSource,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Inspection:
        """Say what a picture is and what would become of it. `timeout` is in seconds. Raises `GatewayError`."""
        check_size(source)
        request = pb.InspectImageRequest(
            operation=write_operation(operation), options=write_options(options or PrepareOptions()), **write_source(source)
        )
        return read_inspection(await answer_to(self._stub.InspectImage(request, timeout=timeout)))

    async def prepare(
        self,
        source: ImageSource,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Preparation:
        """Make one picture fit. `timeout` is in seconds.

        Raises `GatewayError`, with `RESULT_TOO_LARGE` for a prepared file of more than 4 128 768 bytes: `prepare_stream`
        has no such bound.
        """
        check_size(source)
        request = pb.PrepareImageRequest(
            operation=write_operation(operation), options=write_options(options or PrepareOptions()), **write_source(source)
        )
        response = await answer_to(self._stub.PrepareImage(request, timeout=timeout))
        if not response.unchanged:
            return read_preparation(response.preparation, response.content)
        if not isinstance(source, ImageContent):
            raise not_the_contract()
        return read_preparation(response.preparation, source.data)

    async def prepare_stream(
        self,
        items: Items,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        in_order: bool = False,
        timeout: float | None = None,
        flow: StreamFlow = ONE_CALL,
    ) -> AsyncGenerator[PreparedItem]:
        """Make any number of pictures fit over one call, yielding each item's outcome exactly once.

        Files come whole, their length and SHA-256 checked; one that arrives damaged fails alone. A picture that was sent is
        held until its outcome is there; without `in_order`, where several have one id, until all of theirs are. Everything
        else is as in `TaggingClient.tag_stream`.
        """
        wire = _Wire(options or PrepareOptions(), operation, in_order=in_order)
        session = Session(wire, items, in_order=in_order, window=flow.window)
        resumption = Resumption(flow.resumptions)
        outcomes = outcomes_of(session, self._stub.StreamPrepareImages, timeout=timeout, resumption=resumption)
        async with contextlib.aclosing(outcomes):
            async for item in outcomes:
                yield item


class _Wire:
    """The messages of one stream."""

    def __init__(self, options: PrepareOptions, operation: Operation, *, in_order: bool) -> None:
        order = stream_pb2.RESULT_ORDER_AS_SENT if in_order else stream_pb2.RESULT_ORDER_AS_COMPLETED
        self._config = pb.StreamPrepareImagesConfig(
            operation=write_operation(operation), options=write_options(options), order=order
        )
        self._in_order = in_order
        self._pieces = PieceReader(in_order=in_order)

    def config(self) -> pb.StreamPrepareImagesRequest:
        self._pieces = PieceReader(in_order=self._in_order)
        return pb.StreamPrepareImagesRequest(config=self._config)

    def item(self, item_id: str, source: ImageSource) -> pb.StreamPrepareImagesRequest:
        item = pb.StreamPrepareImagesItem(item_id=item_id, **write_source(source))
        self._pieces.expect(item_id, source)
        return pb.StreamPrepareImagesRequest(item=item)

    def read(self, response: pb.StreamPrepareImagesResponse) -> tuple[str, Preparation | GatewayError] | None:
        return self._pieces.read(response)
