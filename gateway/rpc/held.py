"""Bytes of the messages that are held, bounded for the whole process: many calls are as little to fill it as one long stream."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator

from gateway.errors import GatewayError, Reason
from gateway.rpc.overload import RETRY_AFTER_SECONDS


class HeldBytes:
    """Counts the bytes of messages: a call's from their arrival to its answer, an item's for as long as the item is at work.

    A single call is refused where there is no room; an item of a stream waits for it, in the order of arrival, by which flow
    control holds its client back. Items together hold no more than three quarters, since streams fill whatever they may, and
    calls would find no room beside them. A message longer than the bound is let in when nothing else is held.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self.limit = limit
        self._held = 0
        self._held_by_items = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    @property
    def waiting(self) -> int:
        """Items that wait for room."""
        return len(self._waiting)

    @contextlib.contextmanager
    def admitted(self, size: int) -> Iterator[None]:
        """Hold `size` bytes inside, of a call. Raises `GatewayError` with `OVERLOADED` if there is no room, or an item waits for
        it that is within the items' part."""
        item_is_due = self._waiting and self._is_within_part(self._waiting[0][0])
        if item_is_due or not self._fits(size):
            raise GatewayError(
                Reason.OVERLOADED,
                "this gateway holds as many bytes of requests as it may; send the call again later",
                retry_after=RETRY_AFTER_SECONDS,
            )
        self._held += size
        try:
            yield
        finally:
            self._held -= size
            self._admit_waiting()

    async def take(self, size: int) -> None:
        """Hold `size` bytes of an item until they are released, once there is room."""
        if not self._waiting and self._is_within_part(size) and self._fits(size):
            self._hold_item(size)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(size)
            else:
                self._waiting.remove((size, turn))
                self._admit_waiting()
            raise

    def release(self, size: int) -> None:
        """Hold `size` bytes of an item less."""
        self._held -= size
        self._held_by_items -= size
        self._admit_waiting()

    def _hold_item(self, size: int) -> None:
        self._held += size
        self._held_by_items += size

    def _fits(self, size: int) -> bool:
        return not self._held or self._held + size <= self.limit

    def _is_within_part(self, size: int) -> bool:
        return not self._held_by_items or self._held_by_items + size <= self.limit - self.limit // 4

    def _admit_waiting(self) -> None:
        while self._waiting and self._is_within_part(self._waiting[0][0]) and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._hold_item(size)
                turn.set_result(None)
