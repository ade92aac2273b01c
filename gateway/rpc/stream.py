"""One bidirectional stream: a bounded window of items in work, results as they come or as they were sent, a summary."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from google.protobuf import message

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.rpc.convert import read_parameters, write_duration

Answer = Callable[[pb.StreamTagImagesItem, pb.TaggingParameters], Awaitable[pb.StreamTagImagesResult]]
Write = Callable[[pb.StreamTagImagesResponse], Awaitable[None]]


class TaggingStream:
    """Runs one stream.

    At most `window` items are held: an item's place is free again only once its result has been written, so a client
    that does not read, like one that sends too fast, is held back by flow control and costs bounded memory.
    """

    def __init__(self, answer: Answer, write: Write, *, window: int) -> None:
        """`answer` gives an item's outcome and raises nothing but cancellation; `write` sends one message."""
        self._answer = answer
        self._write = write
        self._window = asyncio.Semaphore(window)
        self._writing = asyncio.Lock()  # one write at a time, as gRPC demands
        self._config = pb.StreamTagImagesConfig()
        self._begun = False
        self._summary = pb.StreamTagImagesSummary()

    async def run(self, requests: AsyncIterator[pb.StreamTagImagesRequest]) -> None:
        """Answer every item, then send the summary.

        Raises `GatewayError` if the client breaks the protocol, once the items before that have been answered: they are
        good, and may have been paid for.
        """
        started_at = time.perf_counter()
        violation: GatewayError | None = None
        async with asyncio.TaskGroup() as items:
            before = _done()
            try:
                async for request in requests:
                    item = self._read(request)
                    if item is None:
                        continue
                    await self._window.acquire()
                    written = asyncio.Event()
                    items.create_task(self._work(item, before, written))
                    if self._config.order == pb.RESULT_ORDER_AS_SENT:
                        before = written
            except GatewayError as error:
                violation = error
            except message.DecodeError:
                violation = GatewayError(Reason.INVALID_ARGUMENT, "a message of the stream is not one of the contract's")
        if violation is not None:
            raise violation
        self._summary.elapsed.CopyFrom(write_duration(time.perf_counter() - started_at))
        await self._write(pb.StreamTagImagesResponse(summary=self._summary))

    def _read(self, request: pb.StreamTagImagesRequest) -> pb.StreamTagImagesItem | None:
        payload = request.WhichOneof("payload")
        first, self._begun = not self._begun, True
        if payload == "item":
            self._summary.received += 1
            return request.item
        if payload is None:
            raise GatewayError(Reason.INVALID_ARGUMENT, "payload is not set; send a config or an item", field="payload")
        if not first:
            raise GatewayError(Reason.INVALID_ARGUMENT, "config must be the first message, and sent only once", field="config")
        try:
            read_parameters(request.config.parameters)  # refuses at once what would fail every item
        except GatewayError as error:
            raise GatewayError(
                error.reason,
                f"config.{error.message}",
                field=f"config.{error.field}",
                measured=error.measured,
                allowed=error.allowed,
            ) from error
        if request.config.order not in pb.ResultOrder.values():
            raise GatewayError(
                Reason.INVALID_ARGUMENT,
                f"config.order is {request.config.order}, which is unknown",
                field="config.order",
            )
        self._config = request.config
        return None

    async def _work(self, item: pb.StreamTagImagesItem, before: asyncio.Event, written: asyncio.Event) -> None:
        try:
            result = await self._answer(item, self._config.parameters)
            await before.wait()
            async with self._writing:
                await self._write(pb.StreamTagImagesResponse(result=result))
            if result.HasField("error"):
                self._summary.failed += 1
            else:
                self._summary.succeeded += 1
            written.set()
        finally:
            self._window.release()


def _done() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
