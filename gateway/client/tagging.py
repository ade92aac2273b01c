"""Tagging over gRPC, for asyncio."""

import contextlib
from collections.abc import AsyncGenerator, Iterable

from gateway.call import CacheUse
from gateway.client.channel import Connected
from gateway.client.convert import CACHE_CONTROLS, write_source
from gateway.client.convert_tagging import read_response, write_parameters
from gateway.client.errors import read_status
from gateway.client.exchange import answer_to, outcomes_of
from gateway.client.session import Item, Load, Session, check_size
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import ImageSource, TaggedImage, TaggingParameters

TaggedItem = Item[TaggedImage]


class TaggingClient(Connected):
    """Has one gateway tag pictures. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`."""
        super().__init__(target)
        self._stub = pb_grpc.TaggingServiceStub(self._channel)

    async def tag(
        self,
        source: ImageSource,
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> TaggedImage:
        """Tag one picture. `timeout` is in seconds. Raises `GatewayError`."""
        check_size(source)
        wanted = write_parameters(parameters or TaggingParameters())
        request = pb.TagImageRequest(parameters=wanted, cache=CACHE_CONTROLS[cache], **write_source(source))
        return read_response(await answer_to(self._stub.TagImage(request, timeout=timeout)))

    async def tag_stream(
        self,
        items: Iterable[tuple[str, Load]],
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> AsyncGenerator[TaggedItem]:
        """Tag any number of pictures over one call, yielding each item's outcome exactly once.

        `items` pairs an id with a function that loads the picture, called when its turn comes, so that only a few
        pictures are in memory. Outcomes come as they complete, or `in_order`. If the call itself fails, every item
        without an outcome, sent or not, gets that error as its own. What `items` or a load raises, other than
        `GatewayError`, is raised here. `timeout` is for the whole stream, in seconds.
        """
        wire = _Wire(parameters or TaggingParameters(), cache, in_order=in_order)
        session = Session(wire, iter(items), in_order=in_order)
        outcomes = outcomes_of(session, lambda requests: self._stub.StreamTagImages(requests, timeout=timeout))
        async with contextlib.aclosing(outcomes):
            async for item in outcomes:
                yield item


class _Wire:
    """The messages of one stream."""

    def __init__(self, parameters: TaggingParameters, cache: CacheUse, *, in_order: bool) -> None:
        self._parameters = parameters
        self._cache = CACHE_CONTROLS[cache]
        self._order = stream_pb2.RESULT_ORDER_AS_SENT if in_order else stream_pb2.RESULT_ORDER_AS_COMPLETED

    def config(self) -> pb.StreamTagImagesRequest:
        config = pb.StreamTagImagesConfig(parameters=write_parameters(self._parameters), order=self._order, cache=self._cache)
        return pb.StreamTagImagesRequest(config=config)

    def item(self, item_id: str, source: ImageSource) -> pb.StreamTagImagesRequest:
        return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, **write_source(source)))

    def read(self, response: pb.StreamTagImagesResponse) -> tuple[str, TaggedImage | GatewayError] | None:
        if not response.HasField("result"):
            return None
        result = response.result
        return result.item_id, read_status(result.error) if result.HasField("error") else read_response(result.response)
