"""One stream's bookkeeping: which items still await their outcome, and which outcomes await their turn."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import grpc

from gateway.client.convert import not_the_contract
from gateway.client.pulled import Pulled
from gateway.errors import GatewayError, Reason
from gateway.media import ImageSource, ImageUri, MediaContent, MediaSource

MAX_CONTENT_BYTES: Final = (16 << 20) - (64 << 10)
"""A larger file is not sent: no gateway takes the message by default."""

DEFAULT_WINDOW: Final = 32
"""Items of one stream that are under way at once: twice what a gateway works on by default, so that it never waits."""

_Outcome = TypeVar("_Outcome")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Outcome_co = TypeVar("_Outcome_co", covariant=True)
_Request_co = TypeVar("_Request_co", covariant=True)
_Response_contra = TypeVar("_Response_contra", contravariant=True)

Load = Callable[[], Awaitable[ImageSource]]
"""Gives an item's picture when its turn comes. A `GatewayError` is the item's outcome, anything else ends the stream."""

Items = Iterable[tuple[str, Load]] | AsyncIterable[tuple[str, Load]]
"""What a stream is to send: ids, each with what loads its picture."""


@dataclass(frozen=True)  # no slots: with them, 3.11 cannot make an instance of a generic class by its subscripted name
class Item(Generic[_Outcome]):
    """What became of one item of a stream."""

    item_id: str
    outcome: _Outcome | GatewayError


@dataclass(slots=True, eq=False)
class _Entry(Generic[_Outcome]):
    number: int  # in the order of the caller's items
    item_id: str
    load: Load
    is_sent: bool = False
    outcome: _Outcome | GatewayError | None = None


class Wire(Protocol[_Request_co, _Response_contra, _Outcome_co]):
    """One stream's messages."""

    def config(self) -> _Request_co:
        """The first message of a call. Whatever was read of a call before is forgotten."""

    def item(self, item_id: str, source: ImageSource) -> _Request_co:
        """The message for one picture. Raises `ValueError` for an id that is no Unicode text."""

    def read(self, response: _Response_contra) -> tuple[str, _Outcome_co | GatewayError] | None:
        """The item of which `response` is the last that was to come, with its outcome. Raises `GatewayError` for what is not
        the contract's."""


class Session(Generic[_Request, _Response, _Outcome]):
    """Every item taken from `items` gets exactly one outcome, from the gateway, from here, or from `rest`."""

    def __init__(
        self, wire: Wire[_Request, _Response, _Outcome], items: Items, *, in_order: bool, window: int = DEFAULT_WINDOW
    ) -> None:
        """`window`: how many items, 1 or more, are taken whose outcomes have not been."""
        self._wire = wire
        self._items = Pulled(items)
        self._in_order = in_order
        self._window = window
        self._answers = 0
        self._taken = 0  # items whose outcome has not been yielded
        self._numbers = itertools.count()
        self._awaited: dict[str, deque[_Entry[_Outcome]]] = {}  # by id; several entries if the caller used one twice
        self._again: deque[_Entry[_Outcome]] = deque()  # to be sent before anything new is taken
        self._turn: deque[_Entry[_Outcome]] = deque()  # in the order to yield them: as sent, or as settled
        self._news = asyncio.Event()  # something was settled, or went wrong, without the gateway's doing
        self._fault: Exception | None = None
        self._sender: asyncio.Task[Any] | None = None
        self._room = asyncio.Event()  # outcomes have been taken since it was last looked at

    @property
    def answers(self) -> int:
        """Outcomes that came from the gateway, over all calls."""
        return self._answers

    async def requests(self) -> AsyncIterator[_Request]:
        """What one call sends. Never raises: gRPC would make a bare cancellation of it."""
        self._sender = asyncio.current_task()
        yield self._wire.config()
        try:
            while (entry := await self._next()) is not None:
                try:
                    source = await entry.load()
                    check_size(source)
                    request = self._request(entry.item_id, source)
                except GatewayError as error:
                    self._settle(entry, error)
                    self._news.set()
                    if self._turn[0].outcome is not None:  # else an answer is awaited first, and sending must go on
                        await self._taking()
                    continue
                entry.is_sent = True
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
                        self._answered(*settled)
        finally:
            # The sender, too: a call that ended by itself leaves it where it is, in a load perhaps.
            tasks = [task for task in (reading, hearing, self._sender) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def resume(self, failure: GatewayError, *, is_rejection: bool) -> None:
        """Make ready for another call, once `outcomes` has ended with `failure`.

        `is_rejection`: whether the gateway has answered all that it accepted, so that everything else may be sent again. If that
        is not known, what was sent may have been paid for, and gets `failure` as its outcome.
        """
        for entry in self._unanswered():
            if is_rejection or not entry.is_sent:
                entry.is_sent = False
                self._again.append(entry)
            else:
                self._finish(entry, failure)
        self._awaited.clear()

    async def rest(self, failure: GatewayError) -> AsyncGenerator[Item[_Outcome]]:
        """Once `outcomes` has ended: what is left, with `failure` for all that the gateway never answered."""
        left = list(self._turn) if self._in_order else [*self._turn, *self._unanswered()]
        self._awaited.clear()
        for entry in left:
            yield Item(entry.item_id, entry.outcome or failure)
        while (item := await self._items.next()) is not None:
            yield Item(item[0], failure)

    async def aclose(self) -> None:
        """Take no more items."""
        await self._items.aclose()

    async def _next(self) -> _Entry[_Outcome] | None:
        """The item to send, or None after the last. It is awaited before it is loaded: if the call breaks meanwhile, it, too, is
        owed an outcome."""
        if self._again:
            entry = self._again.popleft()
            self._awaited.setdefault(entry.item_id, deque()).append(entry)
            return entry
        while self._taken >= self._window:
            await self._taking()
        item = await self._items.next()
        if item is None:
            return None
        self._taken += 1
        entry = _Entry[_Outcome](next(self._numbers), *item)
        self._awaited.setdefault(entry.item_id, deque()).append(entry)
        if self._in_order:
            self._turn.append(entry)
        return entry

    async def _taking(self) -> None:
        """Wait until outcomes have been taken."""
        self._room.clear()
        await self._room.wait()

    def _request(self, item_id: str, source: ImageSource) -> _Request:
        try:
            return self._wire.item(item_id, source)
        except ValueError as error:  # a file name that is not UTF-8, for instance
            raise GatewayError(Reason.INVALID_ARGUMENT, "item_id is not Unicode text", field="item_id") from error

    def _answered(self, item_id: str, outcome: _Outcome | GatewayError) -> None:
        if entries := self._awaited.get(item_id):  # else an answer to nothing that was asked
            self._answers += 1
            self._settle(entries[0], outcome)

    def _settle(self, entry: _Entry[_Outcome], outcome: _Outcome | GatewayError) -> None:
        entries = self._awaited[entry.item_id]
        entries.remove(entry)
        if not entries:
            del self._awaited[entry.item_id]
        self._finish(entry, outcome)

    def _finish(self, entry: _Entry[_Outcome], outcome: _Outcome | GatewayError) -> None:
        entry.outcome = outcome
        if not self._in_order:
            self._turn.append(entry)

    def _unanswered(self) -> list[_Entry[_Outcome]]:
        """What was taken and has no outcome, in the order of the caller's items; nothing is left to be sent again."""
        entries = [*self._again, *(entry for entries in self._awaited.values() for entry in entries)]
        self._again.clear()
        return sorted(entries, key=lambda entry: entry.number)

    def _ready(self) -> Iterator[Item[_Outcome]]:
        while self._turn and (outcome := self._turn[0].outcome) is not None:
            item = Item(self._turn.popleft().item_id, outcome)
            self._taken -= 1
            yield item
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
