"""How much is begun in one turn of the event loop, so that whatever else it serves has its turn soon."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

MOST_ITEMS: Final = 16
"""That begin in one turn, however short turns are."""

LONGEST_TURN: Final = 0.002
"""Seconds. Taking a call takes gRPC several turns, and answering it a few more, so health checks and new calls wait for several
times what the items of streams make of a turn. Calls that gRPC could not hand over for 30 seconds it cancels."""


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
        self._watched = False  # whether the next turn is waited for, as while items begin

    async def begin(self) -> None:
        """Return when an item may begin: at once, or in a later turn."""
        loop = asyncio.get_running_loop()
        if not self._watched:
            self._watched = True
            loop.call_soon(self._next_turn, loop, self._clock())
        if self._left:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next_turn(self, loop: asyncio.AbstractEventLoop, last_began: float) -> None:
        now = self._clock()
        long = now - last_began > LONGEST_TURN
        self._items = max(1, self._items // 2) if long else min(MOST_ITEMS, self._items + 1)
        self._left = self._items
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                turn.set_result(None)
                self._left -= 1
        self._watched = self._left < self._items
        if self._watched:
            loop.call_soon(self._next_turn, loop, now)
