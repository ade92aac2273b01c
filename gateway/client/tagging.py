"""Tagging over gRPC, for asyncio."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import grpc

from gateway.client.convert import read_response, write_item, write_parameters, write_request
from gateway.client.errors import read_call_error, read_status
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import ImageContent, ImageSource, TaggedImage, TaggingParameters

MAX_CONTENT_BYTES: Final = (16 << 20) - (64 << 10)
"""A larger file is not sent: no gateway takes the message by default, and no picture of that size is within the limits."""

Load = Callable[[], Awaitable[ImageSource]]
"""Gives an item's picture when its turn comes; raises `GatewayError` if that fails."""


@dataclass(frozen=True, slots=True)
class TaggedItem:
    """What became of one item of a stream."""

    item_id: str
    outcome: TaggedImage | GatewayError


class TaggingClient:
    """Talks to one gateway. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`."""
        self._channel = grpc.aio.insecure_channel(target)
        self._stub = pb_grpc.TaggingServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._channel.close()

    async def tag(
        self, source: ImageSource, parameters: TaggingParameters | None = None, *, timeout: float | None = None
    ) -> TaggedImage:
        """Tag one picture. `timeout` is in seconds. Raises `GatewayError`."""
        _check_size(source)
        request = write_request(source, parameters or TaggingParameters())
        try:
            return read_response(await self._stub.TagImage(request, timeout=timeout))
        except grpc.aio.AioRpcError as error:
            raise read_call_error(error) from error

    async def tag_stream(
        self,
        items: Iterable[tuple[str, Load]],
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[TaggedItem]:
        """Tag any number of pictures over one call, yielding each item's outcome exactly once.

        `items` pairs an id with a function that loads the picture, called when its turn comes, so that only a few
        pictures are in memory. Outcomes come as they complete, or `in_order`. If the call itself fails, every item
        without an outcome, sent or not, gets that error as its own. `timeout` is for the whole stream, in seconds.
        """
        session = _Session(iter(items), in_order=in_order)
        order = pb.RESULT_ORDER_AS_SENT if in_order else pb.RESULT_ORDER_AS_COMPLETED
        config = pb.StreamTagImagesConfig(parameters=write_parameters(parameters or TaggingParameters()), order=order)
        call = self._stub.StreamTagImages(session.requests(config), timeout=timeout)
        try:
            async for response in call:
                if response.HasField("result"):
                    session.settle(response.result.item_id, _outcome(response.result))
                for item in session.ready():
                    yield item
            failure = GatewayError(Reason.UNAVAILABLE, "the gateway ended the stream before it had answered this item")
        except grpc.aio.AioRpcError as error:
            failure = read_call_error(error)
        finally:
            call.cancel()  # for a caller that stops early; without effect once the call has ended
        session.settle_rest(failure)
        for item in session.ready():
            yield item


@dataclass(slots=True)
class _Entry:
    item_id: str
    outcome: TaggedImage | GatewayError | None = None


class _Session:
    """Which items of a stream still await their outcome, and which outcomes await their turn."""

    def __init__(self, items: Iterator[tuple[str, Load]], *, in_order: bool) -> None:
        self._items = items
        self._in_order = in_order
        self._awaited: dict[str, deque[_Entry]] = {}  # by id; several entries if the caller used one twice
        self._turn: deque[_Entry] = deque()  # in the order to yield them: as sent, or as settled

    async def requests(self, config: pb.StreamTagImagesConfig) -> AsyncIterator[pb.StreamTagImagesRequest]:
        yield pb.StreamTagImagesRequest(config=config)
        for item_id, load in self._items:
            # Awaited before it is loaded: if the call breaks meanwhile, this item, too, is owed an outcome.
            self._await(item_id)
            try:
                source = await load()
                _check_size(source)
            except GatewayError as error:
                self.settle(item_id, error)
                continue
            yield write_item(item_id, source)

    def settle(self, item_id: str, outcome: TaggedImage | GatewayError) -> None:
        entries = self._awaited.get(item_id)
        if not entries:
            return  # an answer to nothing that was asked
        entry = entries.popleft()
        if not entries:
            del self._awaited[item_id]
        entry.outcome = outcome
        if not self._in_order:
            self._turn.append(entry)

    def settle_rest(self, failure: GatewayError) -> None:
        """Give `failure` to everything that is left once the call has ended: nothing, if it ended well."""
        for item_id, _ in self._items:
            self._await(item_id)
        while self._awaited:
            self.settle(next(iter(self._awaited)), failure)

    def ready(self) -> Iterator[TaggedItem]:
        """Take the outcomes whose turn it is."""
        while self._turn and (outcome := self._turn[0].outcome) is not None:
            yield TaggedItem(self._turn.popleft().item_id, outcome)

    def _await(self, item_id: str) -> None:
        entry = _Entry(item_id)
        self._awaited.setdefault(item_id, deque()).append(entry)
        if self._in_order:
            self._turn.append(entry)


def _outcome(result: pb.StreamTagImagesResult) -> TaggedImage | GatewayError:
    return read_status(result.error) if result.HasField("error") else read_response(result.response)


def _check_size(source: ImageSource) -> None:
    if isinstance(source, ImageContent) and len(source.data) > MAX_CONTENT_BYTES:
        raise too_large(len(source.data))


def too_large(size: int) -> GatewayError:
    """The error for a file that no gateway takes."""
    return GatewayError(
        Reason.IMAGE_TOO_LARGE,
        f"the picture is {size} bytes; at most 7864320 bytes (10485760 characters of base64) are allowed",
        field="content",
        measured=f"{size} bytes",
        allowed="at most 7864320 bytes",
    )
