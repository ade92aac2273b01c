"""TaggingService: protobuf in, use case, protobuf out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from gateway.access.gate import Caller
from gateway.cache.key import canonical
from gateway.call import Call
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.answer import Context, answered, incidents
from gateway.rpc.authentication import current_caller
from gateway.rpc.batch import check_batch, results_of
from gateway.rpc.caller import read_caller, with_cache
from gateway.rpc.calls import Calls
from gateway.rpc.convert import check_item_id, read_cache_use, read_source
from gateway.rpc.convert_tagging import read_parameters, write_response
from gateway.rpc.item import observed_item
from gateway.rpc.replay import NamedRequest, Replay, check_request_id, meaning_of
from gateway.rpc.status import to_status
from gateway.rpc.stream import Answer, ItemStream, StreamKind, answered_stream
from gateway.rpc.turns import Admitted, admitted
from gateway.usecases.tagging import TagImage

_METHODS: Final = pb.DESCRIPTOR.services_by_name["TaggingService"].methods_by_name


class _Defaults(Protocol):
    """What holds for requests that do not say otherwise."""

    @property
    def parameters(self) -> pb.TaggingParameters: ...
    @property
    def cache(self) -> int: ...


@dataclass(frozen=True, slots=True)
class TaggingLimits:
    """`window`: how many items of a stream or a batch are worked on at once. `batch`: the most requests of a batch."""

    window: int
    batch: int


class TaggingServicer(pb_grpc.TaggingServiceServicer):
    """Serves `gateway.imagerecognition.v1.TaggingService`."""

    def __init__(self, tag_image: TagImage, calls: Calls, replay: Replay, limits: TaggingLimits) -> None:
        self._tag_image = tag_image
        self._calls = calls
        self._replay = replay
        self.limits = limits

    async def TagImage(self, request: pb.TagImageRequest, context: Context) -> pb.TagImageResponse:  # noqa: N802  # the contract's
        """Tag one picture."""
        return await answered(context, self._calls, lambda: self._single(request, context))

    async def BatchTagImages(  # noqa: N802  # the contract's
        self, request: pb.BatchTagImagesRequest, context: Context
    ) -> pb.BatchTagImagesResponse:
        """Tag several pictures."""
        return await answered(context, self._calls, lambda: self._batch(request, context))

    async def StreamTagImages(  # type: ignore[override]  # noqa: N802  # the base is typed for generators only
        self, request_iterator: AsyncIterator[pb.StreamTagImagesRequest], context: Context
    ) -> None:
        """Tag a stream of pictures."""

        def opened() -> ItemStream[pb.StreamTagImagesConfig, pb.StreamTagImagesItem, pb.StreamTagImagesResponse]:
            kind = StreamKind(
                config=pb.StreamTagImagesConfig(),
                check=_check,
                admit=partial(_admit, current_caller(), read_caller(context)),
                answer=self._item,
                close=lambda summary: pb.StreamTagImagesResponse(summary=summary),
            )
            return ItemStream(kind, context.write, window=self.limits.window)

        await answered_stream(context, self._calls, opened, request_iterator)

    async def _single(self, request: pb.TagImageRequest, context: Context) -> pb.TagImageResponse:
        with current_caller().picture():
            return await self._respond("TagImage", request, request, read_caller(context))

    async def _batch(self, batch: pb.BatchTagImagesRequest, context: Context) -> pb.BatchTagImagesResponse:
        check_batch(batch.requests, self.limits.batch)
        _check(batch)
        caller = current_caller()
        answer = partial(self._entry, caller, read_caller(context), batch)
        # A batch waits for nothing but itself: it never has more at work than its tenant may.
        window = min(self.limits.window, caller.places or self.limits.window)
        return pb.BatchTagImagesResponse(results=await results_of(batch.requests, answer, window=window))

    async def _entry(
        self, caller: Caller, call: Call, batch: pb.BatchTagImagesRequest, request: pb.TagImageRequest
    ) -> pb.BatchTagImagesResult:
        """The outcome of one request of a batch, which is never an exception, short of cancellation."""
        try:
            with observed_item(), caller.picture():
                return pb.BatchTagImagesResult(response=await self._respond("BatchTagImages", request, batch, call))
        except GatewayError as error:
            return pb.BatchTagImagesResult(error=to_status(error))

    async def _item(
        self, item: pb.StreamTagImagesItem, config: pb.StreamTagImagesConfig, admitted: Admitted
    ) -> Answer[pb.StreamTagImagesResponse]:
        """The outcome of one item, which is never an exception, short of cancellation."""
        try:
            with observed_item():
                check_item_id(item.item_id)
                admitted.check()
                response = await self._respond("StreamTagImages", item, config, admitted.call)
        except GatewayError as error:
            result = pb.StreamTagImagesResult(item_id=item.item_id, error=to_status(error))
        else:
            result = pb.StreamTagImagesResult(item_id=item.item_id, response=response)
        return Answer([pb.StreamTagImagesResponse(result=result)], succeeded=result.HasField("response"))

    async def _respond(
        self, method: str, request: pb.TagImageRequest | pb.StreamTagImagesItem, defaults: _Defaults, call: Call
    ) -> pb.TagImageResponse:
        with incidents():
            source = read_source(request)
            parameters = read_parameters(request.parameters if request.HasField("parameters") else defaults.parameters)
            call = with_cache(call, request.cache, defaults.cache)
            check_request_id(request.request_id)
            if request.validate_only:
                return write_response(await self._tag_image.validate(source, call))

            async def tagged() -> pb.TagImageResponse:
                return write_response(await self._tag_image(source, parameters, call))

            if not request.request_id:
                return await tagged()
            meaning = await meaning_of(source, canonical(parameters), call.cache.encode())
            named = NamedRequest(_METHODS[method].full_name, request.request_id, meaning)
            response, replayed = await self._replay(named, call, pb.TagImageResponse, tagged)
            response.processing.replayed = replayed
            return response


async def _admit(caller: Caller, call: Call, item: pb.StreamTagImagesItem) -> Admitted:
    return await admitted(caller, call, item.timeout if item.HasField("timeout") else None)


def _check(defaults: _Defaults) -> None:
    read_parameters(defaults.parameters)
    read_cache_use(defaults.cache)
