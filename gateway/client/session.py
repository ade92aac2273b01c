"""One stream's bookkeeping: which items still await their outcome, and which outcomes await their turn."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import grpc

from gateway.client.convert import not_the_contract
from gateway.errors import GatewayError, Reason
from gateway.media import ImageSource, ImageUri, MediaContent, MediaSource

MAX_CONTENT_BYTES: Final = (16 << 20) - (64 << 10)
"""A larger file is not sent: no gateway takes the message by default."""

_Outcome = TypeVar("_Outcome")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Outcome_co = TypeVar("_Outcome_co", covariant=True)
_Request_co = TypeVar("_Request_co", covariant=True)
_Response_contra = TypeVar("_Response_contra", contravariant=True)

Load = Callable[[], Awaitable[ImageSource]]
"""Gives an item's picture when its turn comes. A `GatewayError` is the item's outcome, anything else ends the stream."""


@dataclass(frozen=True)  # no slots: with them, 3.11 cannot make an instance of a generic class by its subscripted name
class Item(Generic[_Outcome]):
    """What became of one item of a stream."""

    item_id: str
    outcome: _Outcome | GatewayError


@dataclass(slots=True)
class _Entry(Generic[_Outcome]):
    item_id: str
    outcome: _Outcome | GatewayError | None = None


class Wire(Protocol[_Request_co, _Response_contra, _Outcome_co]):
    """One stream's messages."""

    def config(self) -> _Request_co:
        """The first message."""

    def item(self, item_id: str, source: ImageSource) -> _Request_co:
        """The message for one picture. Raises `ValueError` for an id that is no Unicode text."""

    def read(self, response: _Response_contra) -> tuple[str, _Outcome_co | GatewayError] | None:
        """The item of which `response` is the last that was to come, with its outcome. Raises `GatewayError` for what is not
        the contract's."""


class Session(Generic[_Request, _Response, _Outcome]):
    """Every item taken from `items` gets exactly one outcome, from the gateway, from here, or from `rest`."""

    def __init__(self, wire: Wire[_Request, _Response, _Outcome], items: Iterator[tuple[str, Load]], *, in_order: bool) -> None:
        self._wire = wire
        self._items = items
        self._in_order = in_order
        self._awaited: dict[str, deque[_Entry[_Outcome]]] = {}  # by id; several entries if the caller used one twice
        self._turn: deque[_Entry[_Outcome]] = deque()  # in the order to yield them: as sent, or as settled
        self._news = asyncio.Event()  # something was settled, or went wrong, without the gateway's doing
        self._fault: Exception | None = None
        self._sender: asyncio.Task[Any] | None = None
        self._room = asyncio.Event()  # few enough outcomes of our own wait to be taken
        self._room.set()

    async def requests(self) -> AsyncIterator[_Request]:
        """What is sent. Never raises: gRPC would make a bare cancellation of it."""
        self._sender = asyncio.current_task()
        yield self._wire.config()
        try:
            for item_id, load in self._items:
                # Awaited before it is loaded: if the call breaks meanwhile, this item, too, is owed an outcome.
                self._await(item_id)
                try:
                    source = await load()
                    check_size(source)
                    request = self._request(item_id, source)
                except GatewayError as error:
                    self._settle(item_id, error, newest=True)
                    self._news.set()
                    if self._turn[0].outcome is not None:  # else an answer is awaited first, and sending must go on
                        self._room.clear()
                        await self._room.wait()
                    continue
                yield request
        except Exception as error:  # noqa: BLE001  # the caller's own, from its iterable or a load; raised where it listens
            self._fault = error
            self._news.set()

    async def outcomes(self, read: Callable[[], Awaitable[Any]]) -> AsyncGenerator[Item[_Outcome]]:
        """Yield outcomes as they come, until the gateway has sent all of its own. Raises what `read` or the caller's code did."""
        reading: asyncio.Future[Any] | None = None
        hearing: asyncio.Future[Any] | None = None
        try:
            while True:
                for item in self._ready():
                    yield item
                if self._fault is not None:
                    raise self._fault
                reading = reading or asyncio.ensure_future(read())
                hearing = hearing or asyncio.ensure_future(self._news.wait())
                await asyncio.wait({reading, hearing}, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    self._news.clear()
                    hearing = None
                    continue
                if reading.done():
                    response, reading = reading.result(), None
                    if response is grpc.aio.EOF:
                        return
                    if response is None:  # what grpcio makes of bytes that are no message
                        raise not_the_contract()
                    if (settled := self._wire.read(response)) is not None:
                        self._settle(*settled)
        finally:
            # The sender, too: a call that ended by itself leaves it where it is, in a load perhaps.
            tasks = [task for task in (reading, hearing, self._sender) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def rest(self, failure: GatewayError) -> Iterator[Item[_Outcome]]:
        """Once `outcomes` has ended: what is left, with `failure` for all that the gateway never answered."""
        left = list(self._turn) if self._in_order else [*self._turn, *(e for entries in self._awaited.values() for e in entries)]
        self._awaited.clear()
        for entry in left:
            yield Item(entry.item_id, entry.outcome or failure)
        for item_id, _ in self._items:
            yield Item(item_id, failure)

    def _request(self, item_id: str, source: ImageSource) -> _Request:
        try:
            return self._wire.item(item_id, source)
        except ValueError as error:  # a file name that is not UTF-8, for instance
            raise GatewayError(Reason.INVALID_ARGUMENT, "item_id is not Unicode text", field="item_id") from error

    def _await(self, item_id: str) -> None:
        entry = _Entry[_Outcome](item_id)
        self._awaited.setdefault(item_id, deque()).append(entry)
        if self._in_order:
            self._turn.append(entry)

    def _settle(self, item_id: str, outcome: _Outcome | GatewayError, *, newest: bool = False) -> None:
        """`newest`: what was not even sent is the last of its id, whatever of the others is not answered yet."""
        entries = self._awaited.get(item_id)
        if not entries:
            return  # an answer to nothing that was asked
        entry = entries.pop() if newest else entries.popleft()
        if not entries:
            del self._awaited[item_id]
        entry.outcome = outcome
        if not self._in_order:
            self._turn.append(entry)

    def _ready(self) -> Iterator[Item[_Outcome]]:
        while self._turn and (outcome := self._turn[0].outcome) is not None:
            yield Item(self._turn.popleft().item_id, outcome)
        self._room.set()


def check_size(source: ImageSource | MediaSource) -> None:
    """Raise `GatewayError` for a picture or recording that is not worth sending."""
    if not isinstance(source, ImageUri) and len(source.data) > MAX_CONTENT_BYTES:
        is_media = isinstance(source, MediaContent)
        raise too_large(len(source.data), MAX_CONTENT_BYTES, Reason.MEDIA_TOO_LARGE if is_media else Reason.IMAGE_TOO_LARGE)


def too_large(size: int, allowed: int, reason: Reason = Reason.IMAGE_TOO_LARGE) -> GatewayError:
    """The error for a file that is longer than `allowed` bytes."""
    what = "recording" if reason is Reason.MEDIA_TOO_LARGE else "picture"
    return GatewayError(
        reason,
        f"the {what} is {size} bytes; at most {allowed} bytes are allowed",
        field="content",
        measured=f"{size} bytes",
        allowed=f"at most {allowed} bytes",
    )
