"""Single flight: what many want at the same time is done once."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from gateway.cache.error_copy import copied_error
from gateway.call import Call
from gateway.errors import GatewayError, Reason

_T = TypeVar("_T")

_DEADLINES: Final = frozenset({Reason.DEADLINE_EXCEEDED, Reason.DEADLINE_TOO_SHORT})
_TENANTS_OWN: Final = frozenset({Reason.OVERLOADED, Reason.BUDGET_EXHAUSTED})


@dataclass(eq=False, slots=True)
class _Flight(Generic[_T]):
    """Work under way; `leader` is the call that began it, with its deadline and in its tenant's turn."""

    work: asyncio.Task[_T]
    leader: Call
    waiting: int = field(default=0)


class Flights(Generic[_T]):
    """Work under way, by key, for one event loop.

    The work is a task of its own: a waiter that is cancelled leaves it to the others, and the last one that leaves cancels it.
    """

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight[_T]] = {}
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: bytes, start: Callable[[], Awaitable[_T]], call: Call) -> tuple[_T, bool]:
        """What the work under `key` comes to, begun with `start` if none is under way; and whether another call had begun it.

        Raises what the work raised, an exception of its own for each that waits; `GatewayError` with `DEADLINE_EXCEEDED` once
        the deadline of `call` passes. Work that ended for a reason of the call which began it (its deadline, its tenant's queue
        or budget) is begun again by those that waited with it.
        """
        async with call.bounded():
            while True:
                flight = self._flights.get(key)
                shared = flight is not None
                if flight is None:
                    flight = self._begin(key, start, call)
                await self._landed(key, flight)
                if flight.work.cancelled():  # from within, since those that wait had not left: as if there were no flight
                    raise asyncio.CancelledError
                error = flight.work.exception()
                if error is None:
                    return flight.work.result(), shared
                if not (shared and _leaders_own(error, flight.leader, call)):
                    raise copied_error(error, shared=shared) from (error.__cause__ or error)

    async def aclose(self) -> None:
        """Cancel all work, and wait until it has ended."""
        works = [flight.work for flight in self._flights.values()]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    def _begin(self, key: bytes, start: Callable[[], Awaitable[_T]], leader: Call) -> _Flight[_T]:
        async def fly() -> _T:
            return await start()

        flight = _Flight(asyncio.create_task(fly(), name=f"flight {next(self._numbers)}"), leader)
        self._flights[key] = flight
        flight.work.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    async def _landed(self, key: bytes, flight: _Flight[_T]) -> None:
        """Wait for the work; whoever leaves last without it ends it, and sees it end."""
        flight.waiting += 1
        try:
            await asyncio.wait([flight.work])  # not the task itself: cancelling this wait would cancel the work of all
        except asyncio.CancelledError:
            if flight.waiting == 1 and not flight.work.done():
                self._forget(key, flight)
                flight.work.cancel()
                await asyncio.wait([flight.work])
            raise
        finally:
            flight.waiting -= 1

    def _forget(self, key: bytes, flight: _Flight[_T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.work.done() and not flight.work.cancelled():
            flight.work.exception()  # marks it as seen, should all have left meanwhile


def _leaders_own(error: BaseException, leader: Call, waiter: Call) -> bool:
    """Whether `error` is about the call that began the work and says nothing of the one that waited with it."""
    if not isinstance(error, GatewayError):
        return False
    return error.reason in _DEADLINES or (error.reason in _TENANTS_OWN and leader.tenant != waiter.tenant)
