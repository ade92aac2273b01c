"""How much is begun in one turn of the event loop, so that whatever else it serves has its turn soon."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_ITEMS: Final = 16
"""That begin in one turn, however short turns are."""

LONGEST_TURN: Final = 0.005
"""Seconds. Taking a call takes a turn of gRPC's, answering it a few more: health checks and new calls wait that many times as long
as the turns are that the items of streams cause. What gRPC has not handed over for 30 seconds it cancels."""


class Pace:
    """Lets items begin in the order of asking: as many in one turn of the event loop as keep turns short, at least one.

    Each stream asks for one item at a time, so streams alternate.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` returns seconds."""
        self._clock = clock
        self._items = MOST_ITEMS
        self._left = self._items
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn_began: float | None = None  # None: nothing has begun of late, and no turn is watched

    async def begin(self) -> None:
        """Return when an item may begin: at once, or in a later turn."""
        loop = asyncio.get_running_loop()
        if self._turn_began is None:
            self._turn_began = self._clock()
            loop.call_soon(self._next_turn, loop)
        if self._left:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock()
        assert self._turn_began is not None
        long = now - self._turn_began > LONGEST_TURN
        self._items = max(1, self._items // 2) if long else min(MOST_ITEMS, self._items + 1)
        self._left = self._items
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                self._left -= 1
        if self._left < self._items:
            self._turn_began = now
            loop.call_soon(self._next_turn, loop)
        else:
            self._turn_began = None
