"""One bidirectional stream: a bounded window of items in work, results as they come or as they were sent, a summary."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Literal, Protocol, TypeVar

from google.protobuf import message
from grpc import aio

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import stream_pb2
from gateway.rpc.answer import Context, answered
from gateway.rpc.calls import Calls
from gateway.rpc.convert import write_duration
from gateway.rpc.held import HeldBytes
from gateway.rpc.pace import Pace
from gateway.rpc.turns import Admitted

_QUIET_SECONDS: Final = 0.2
"""Without a message of the client, after which all has come that it sent before it read the last answer."""

_LONGEST_LINGER_SECONDS: Final = 1.0
"""That a client that goes on sending is listened to once all is answered."""


class _Ordered(Protocol):
    @property
    def order(self) -> stream_pb2.ResultOrder.ValueType: ...


_Config = TypeVar("_Config", bound=_Ordered)
_Item = TypeVar("_Item")
_Response = TypeVar("_Response")
_Config_co = TypeVar("_Config_co", bound=_Ordered, covariant=True)
_Item_co = TypeVar("_Item_co", covariant=True)


class StreamRequest(Protocol[_Config_co, _Item_co]):
    """A message with the contract's `oneof payload` of what clients send."""

    @property
    def config(self) -> _Config_co: ...
    @property
    def item(self) -> _Item_co: ...
    def WhichOneof(  # noqa: N802  # protobuf's
        self, oneof_group: Literal["payload"], /
    ) -> Literal["config", "item"] | None: ...
    def ByteSize(self) -> int: ...  # noqa: N802  # likewise


@dataclass(frozen=True, slots=True)
class Answer(Generic[_Response]):
    """What is written for one item, with no other item's messages in between."""

    responses: Iterable[_Response]
    succeeded: bool


@dataclass(frozen=True, slots=True)
class StreamKind(Generic[_Config, _Item, _Response]):
    """What one service's stream is made of.

    `config`: the settings of a stream whose client sends none. `check`: raises `GatewayError` for settings with which every item
    would fail. `admit`: waits for an item's turn; `answer`: an item's outcome; both raise nothing but cancellation. `close`: the
    last message. `returns_files`: whether answers are about as long as the items, so that bytes are held until they are written.
    """

    config: _Config
    check: Callable[[_Config], object]
    admit: Callable[[_Item], Awaitable[Admitted]]
    answer: Callable[[_Item, _Config, Admitted], Awaitable[Answer[_Response]]]
    close: Callable[[stream_pb2.StreamSummary], _Response]
    returns_files: bool = False


class _Taken:
    """What an item keeps from others: its tenant's place while it is worked on, and room for its bytes."""

    def __init__(self) -> None:
        self.place = contextlib.ExitStack()
        self.bytes_held = contextlib.ExitStack()

    def close(self) -> None:
        self.place.close()
        self.bytes_held.close()


class ItemStream(Generic[_Config, _Item, _Response]):
    """Runs one stream.

    At most `window` items are worked on, and one more waits: an item's place is free again only once its answer has been
    written, so a client that does not read, like one that sends too fast, is held back by flow control and costs bounded memory.
    """

    def __init__(
        self, kind: StreamKind[_Config, _Item, _Response], write: Callable[[_Response], Awaitable[None]], *, window: int
    ) -> None:
        """`write` sends one message."""
        self._kind = kind
        self._write = write
        self._window = asyncio.Semaphore(window)
        self._writing = asyncio.Lock()  # one answer at a time
        self._config = kind.config
        self._begun = False
        self._violation: GatewayError | None = None
        self._reading: asyncio.Task[None] | None = None
        self._at_work = 0
        self._stopped = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._waiting = False  # with an item for its turn, not for the client
        self._dropped = 0
        self._summary = stream_pb2.StreamSummary()

    async def run(self, requests: AsyncIterator[StreamRequest[_Config, _Item]], held: HeldBytes, pace: Pace) -> None:
        """Answer every item, then send the summary. `held` counts the items' bytes, `pace` says when each may begin.

        Raises `GatewayError` if the client breaks the protocol, or the stream is stopped before the client has sent all: each
        time once the items before that have been answered, since they are good, and may have been paid for.
        """
        started_at = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as items:
                # A task of its own, so that it can be stopped without those that it has begun.
                self._reading = items.create_task(self._read(requests, items, held, pace))
                if self._stopped.is_set():
                    self.stop()
        finally:
            if self._ending is not None:
                self._ending.cancel()
        if self._violation is not None:
            raise self._violation
        if self._reading.cancelled() and not self._stopped.is_set():  # gRPC has ended the reading: the call is over
            raise asyncio.CancelledError
        if self._reading.cancelled() or self._dropped:
            raise self._interrupted()
        self._summary.elapsed.CopyFrom(write_duration(time.perf_counter() - started_at))
        await self._write(self._kind.close(self._summary))

    def stop(self) -> None:
        """Begin no more: `run` answers what it has begun and raises `SHUTTING_DOWN`, unless all has been read already.

        What comes meanwhile is read and dropped. A connection that is closed with bytes unread is reset, and what the client
        would have been told with it.
        """
        self._stopped.set()
        if self._reading is not None and self._ending is None:
            if self._waiting:
                self._reading.cancel()
            self._ending = asyncio.create_task(self._linger(self._reading))

    async def _linger(self, reading: asyncio.Task[None]) -> None:
        """End the reading once all is answered and the client sends no more, or has sent for long."""
        loop = asyncio.get_running_loop()
        latest = float("inf")
        while not reading.done():
            dropped = self._dropped
            await asyncio.sleep(_QUIET_SECONDS)
            if self._at_work:
                continue
            latest = min(latest, loop.time() + _LONGEST_LINGER_SECONDS)
            if self._dropped == dropped or loop.time() >= latest:
                reading.cancel()
                return

    async def _read(
        self,
        requests: AsyncIterator[StreamRequest[_Config, _Item]],
        items: asyncio.TaskGroup,
        held: HeldBytes,
        pace: Pace,
    ) -> None:
        before = _done()
        try:
            async for request in requests:
                if self._stopped.is_set():
                    self._dropped += 1
                    continue
                if not self._reads_item(request):
                    continue
                try:
                    self._waiting = True
                    admitted, taken = await self._turn(request, held, pace)
                except asyncio.CancelledError:
                    # One that is not of `stop` alone: the call is over.
                    if not self._stopped.is_set() or (self._reading is not None and self._reading.uncancel()):
                        raise
                    self._summary.received -= 1
                    self._dropped += 1
                    continue
                finally:
                    self._waiting = False
                written = asyncio.Event()
                self._at_work += 1
                work = items.create_task(self._work(request.item, admitted, before, written, taken))
                # Not in the work itself, which never starts if it is cancelled first.
                work.add_done_callback(partial(self._leave, taken))
                del request, work  # or the last item would be kept for as long as the client waits with the next
                if self._config.order == stream_pb2.RESULT_ORDER_AS_SENT:
                    before = written
        except GatewayError as error:
            self._violation = error
        except message.DecodeError:
            self._violation = GatewayError(Reason.INVALID_ARGUMENT, "a message of the stream is not one of the contract's")

    async def _turn(self, request: StreamRequest[_Config, _Item], held: HeldBytes, pace: Pace) -> tuple[Admitted, _Taken]:
        """Wait until an item may begin; what it then takes from others is given back by `_leave`."""
        await self._window.acquire()
        taken = _Taken()
        try:
            admitted = await self._kind.admit(request.item)
            taken.place.callback(admitted.release)
            await pace.begin()
            await held.take(size := request.ByteSize())
            taken.bytes_held.callback(held.release, size)
        except BaseException:
            taken.close()
            self._window.release()
            raise
        return admitted, taken

    def _leave(self, taken: _Taken, _: asyncio.Task[None]) -> None:
        self._at_work -= 1
        taken.close()
        self._window.release()

    def _interrupted(self) -> GatewayError:
        answered = self._summary.succeeded + self._summary.failed
        return GatewayError(
            Reason.SHUTTING_DOWN,
            f"this gateway is stopping; {answered} items of the stream were answered: send the others again, in a new stream",
            measured=f"{answered} items answered",
        )

    def _reads_item(self, request: StreamRequest[_Config, _Item]) -> bool:
        """Whether the message is an item; if not, it is the config, which is taken."""
        payload = request.WhichOneof("payload")
        first, self._begun = not self._begun, True
        if payload == "item":
            self._summary.received += 1
            return True
        if payload is None:
            raise GatewayError(Reason.INVALID_ARGUMENT, "payload is not set; send a config or an item", field="payload")
        if not first:
            raise GatewayError(Reason.INVALID_ARGUMENT, "config must be the first message, and sent only once", field="config")
        try:
            self._kind.check(request.config)  # refuses at once what would fail every item
        except GatewayError as error:
            raise GatewayError(
                error.reason,
                f"config.{error.message}",
                field=f"config.{error.field}",
                measured=error.measured,
                allowed=error.allowed,
            ) from error
        if request.config.order not in stream_pb2.ResultOrder.values():
            raise GatewayError(
                Reason.INVALID_ARGUMENT,
                f"config.order is {request.config.order}, which is unknown",
                field="config.order",
            )
        self._config = request.config
        return False

    async def _work(self, item: _Item, admitted: Admitted, before: asyncio.Event, written: asyncio.Event, taken: _Taken) -> None:
        answer = await self._kind.answer(item, self._config, admitted)
        del item
        taken.place.close()
        if not self._kind.returns_files:
            taken.bytes_held.close()  # not only once it is written: clients that do not read would keep others out
        await before.wait()
        async with self._writing:
            for response in answer.responses:
                await self._write(response)
        if answer.succeeded:
            self._summary.succeeded += 1
        else:
            self._summary.failed += 1
        written.set()


async def answered_stream(
    context: Context,
    calls: Calls,
    opened: Callable[[], ItemStream[_Config, _Item, _Response]],
    requests: AsyncIterator[StreamRequest[_Config, _Item]],
) -> None:
    """Run the stream that `opened` gives as one of `calls`."""

    async def run() -> None:
        stream = opened()
        with calls.interruptible(stream.stop):
            await stream.run(requests, calls.held, calls.pace)

    # Writing to a client that has gone away fails, in the tasks of items or with the summary, and that before gRPC says that the
    # call is done; there is nobody left to tell.
    try:
        with contextlib.suppress(aio.InternalError):
            await answered(context, calls, run)
    except ExceptionGroup as group:
        if group.split(aio.InternalError)[1] is not None and not context.done():
            raise


def _done() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
