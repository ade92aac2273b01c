"""Tagging over gRPC, for asyncio."""

import contextlib
from collections.abc import AsyncGenerator, Iterable

from gateway.call import CacheUse
from gateway.client.channel import Connected, Target
from gateway.client.convert import CACHE_CONTROLS, not_the_contract, write_source
from gateway.client.convert_tagging import read_response, write_parameters
from gateway.client.errors import read_status
from gateway.client.exchange import answer_to, outcomes_of
from gateway.client.flow import ONE_CALL, Resumption, StreamFlow
from gateway.client.session import Item, Items, Session, check_size
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import cache_pb2, stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import ImageSource, TaggedImage, TaggingParameters

TaggedItem = Item[TaggedImage]


class TaggingClient(Connected):
    """Has one gateway tag pictures. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: Target) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too."""
        super().__init__(target)
        self._stub = pb_grpc.TaggingServiceStub(self._channel)

    async def tag(
        self,
        source: ImageSource,
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        request_id: str = "",
        timeout: float | None = None,
    ) -> TaggedImage:
        """Tag one picture. `timeout` is in seconds. Raises `GatewayError`.

        `request_id`: a name of your own for this request, 1 to 64 characters, best a UUID. Sent again under it within the
        gateway's window, a request that succeeded is answered as before, and nothing is done or billed twice.
        """
        request = _request(source, parameters, cache=cache, request_id=request_id)
        return read_response(await answer_to(self._stub.TagImage(request, timeout=timeout)))

    async def validate(
        self, source: ImageSource, parameters: TaggingParameters | None = None, *, timeout: float | None = None
    ) -> TaggedImage:
        """Check that a picture could be tagged; no provider is asked. The answer has no tags, but tells the picture, what
        preparation would do to it, and who would be asked. `timeout` is in seconds. Raises `GatewayError`."""
        request = _request(source, parameters, validate_only=True)
        return read_response(await answer_to(self._stub.TagImage(request, timeout=timeout)))

    async def tag_batch(
        self,
        sources: Iterable[ImageSource],
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> list[TaggedImage | GatewayError]:
        """Tag a few pictures by one message: an outcome for each, in their order. `timeout` is for all, in seconds.

        How many pictures and bytes a message may hold says `InfoClient`. Raises `GatewayError` if the call itself fails.
        """
        batch = pb.BatchTagImagesRequest(
            requests=[_request(source) for source in sources],
            parameters=write_parameters(parameters or TaggingParameters()),
            cache=CACHE_CONTROLS[cache],
        )
        response = await answer_to(self._stub.BatchTagImages(batch, timeout=timeout))
        if len(response.results) != len(batch.requests):
            raise not_the_contract()
        return [_outcome(result) for result in response.results]

    async def tag_stream(
        self,
        items: Items,
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
        flow: StreamFlow = ONE_CALL,
    ) -> AsyncGenerator[TaggedItem]:
        """Tag any number of pictures over one call, or several where `flow` says so, yielding each item's outcome exactly once.

        `items` pairs an id with a function that loads the picture, called when its turn comes, so that only a few
        pictures are in memory. Outcomes come as they complete, or `in_order`. If the call itself fails, every item
        without an outcome, sent or not, gets that error as its own. What `items` or a load raises, other than
        `GatewayError`, is raised here. `timeout` is for the whole stream, in seconds.
        """
        wire = _Wire(parameters or TaggingParameters(), cache, in_order=in_order)
        session = Session(wire, items, in_order=in_order, window=flow.window)
        resumption = Resumption(flow.resumptions)
        outcomes = outcomes_of(session, self._stub.StreamTagImages, timeout=timeout, resumption=resumption)
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
        return response.result.item_id, _outcome(response.result)


def _request(
    source: ImageSource,
    parameters: TaggingParameters | None = None,
    *,
    cache: CacheUse | None = None,
    request_id: str = "",
    validate_only: bool = False,
) -> pb.TagImageRequest:
    """The message for one picture. What is None is left to the batch, or to the gateway."""
    check_size(source)
    return pb.TagImageRequest(
        parameters=None if parameters is None else write_parameters(parameters),
        cache=cache_pb2.CACHE_CONTROL_UNSPECIFIED if cache is None else CACHE_CONTROLS[cache],
        request_id=request_id,
        validate_only=validate_only,
        **write_source(source),
    )


def _outcome(result: pb.StreamTagImagesResult | pb.BatchTagImagesResult) -> TaggedImage | GatewayError:
    return read_status(result.error) if result.HasField("error") else read_response(result.response)
