"""The one gate that every call to the cloud goes through: so many at once, so many per second, the others in a fair queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.upstream.resilience.adaptive import AdaptiveLimit
from gateway.upstream.resilience.fair_queue import FairQueue
from gateway.upstream.resilience.rate import TokenBucket
from gateway.upstream.resilience.service_time import ServiceTime
from gateway.upstream.resilience.settings import LimitSettings

_COOL_DOWN: Final = 1.0
"""Seconds between two decreases, at least; vendors count calls by the second."""

_SHORTEST_ADVICE: Final = 1.0
"""Seconds. Telling a caller less than this to wait would bring it back to the same full queue."""

_TIMER_RESOLUTION: Final = 1e-6
"""Seconds by which a timer may come early; a pause that is shorter is none."""


class Limiter:
    """Bounds the calls of one cloud account, for one event loop. Calls are told apart by their tenants only."""

    def __init__(self, settings: LimitSettings, clock: Callable[[], float]) -> None:
        """`clock` is that of the callers' deadlines."""
        self._settings = settings
        self._clock = clock
        self._adaptive = AdaptiveLimit(_least(settings), settings.concurrency, clock)
        self._rate = _bucket(settings, clock)
        self._queue: FairQueue[_Waiter] = FairQueue(settings.queue_length)
        self._in_flight = 0
        self._held_until = clock()
        self._wake_up: asyncio.TimerHandle | None = None
        self.service_time = ServiceTime(clock)
        """What calls take, of which `succeeded` was told."""

    def adopt(self, settings: LimitSettings) -> None:
        """From now on by these settings. Calls under way go on, those that wait keep their places."""
        rate_changed = (settings.rate, settings.burst) != (self._settings.rate, self._settings.burst)
        self._settings = settings
        self._adaptive.bound(_least(settings), settings.concurrency)
        self._queue.length = settings.queue_length
        if rate_changed:
            self._rate = _bucket(settings, self._clock)
        self._forget_wake_up()  # it was set for the old rate
        self._dispatch()

    @property
    def limit(self) -> int:
        """Calls at once that are allowed now."""
        return self._adaptive.limit

    @property
    def in_flight(self) -> int:
        """Slots that are taken; for a while more than the limit, after that has become smaller."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Calls that wait for a slot."""
        return len(self._queue)

    @property
    def pause(self) -> float:
        """Seconds for which no call may start, whatever slots there are: the cloud has asked to wait, or by the rate."""
        hold = self._held_until - self._clock()
        pause = max(hold, self._rate.wait()) if self._rate is not None else hold
        return pause if pause > _TIMER_RESOLUTION else 0.0

    @property
    def has_room(self) -> bool:
        """Whether a call would get a slot without waiting."""
        return not self._queue and self._in_flight < self.limit and self.pause == 0.0

    @contextlib.asynccontextmanager
    async def slot(self, call: Call) -> AsyncIterator[None]:
        """Wait for the call's turn; the slot is taken until the context is left.

        The deadline is used to foresee what cannot be done in time; `call.bounded()`, around this, is what ends the wait.
        Raises `GatewayError`: `OVERLOADED` if the queue is full or the wait too long, `DEADLINE_TOO_SHORT` at once if the wait
        would outlast the deadline, or after the wait if it has left too little time, `DEADLINE_EXCEEDED` if that has passed.
        """
        self._check_time(call, self._expected_wait(self._queue.ahead_of(call.tenant)))
        if self.has_room:
            self._start()
        else:
            await self._turn(call)
        with self._taken():
            yield

    @contextlib.contextmanager
    def slot_now(self, call: Call) -> Iterator[None]:
        """Take a slot that is free, until the context is left, and never wait for one.

        Raises `GatewayError`: `OVERLOADED` if there is no room, `DEADLINE_TOO_SHORT`, or `DEADLINE_EXCEEDED`.
        """
        if not self.has_room:
            raise self._overloaded("no place is free")
        self._check_time(call, 0.0)
        self._start()
        with self._taken():
            yield

    def succeeded(self, seconds: float) -> None:
        """Count a call that was answered after so many seconds; its slot is still taken."""
        self.service_time.observe(seconds)
        self._adaptive.succeeded(self._in_flight)

    def throttled(self, retry_after: float | None = None) -> None:
        """Count a call that the cloud throttled, and the seconds that it asks to wait: no call is started before."""
        self._adaptive.throttled(max(_COOL_DOWN, self.service_time.mean))
        if retry_after is not None:
            hold = min(retry_after, self._settings.max_hold)
            self._held_until = max(self._held_until, self._clock() + hold)

    @contextlib.contextmanager
    def _taken(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._in_flight -= 1
            self._dispatch()

    def _check_time(self, call: Call, wait: float) -> None:
        left = call.remaining(self._clock())
        needed = wait + self.service_time.quick
        if needed > left:
            raise GatewayError(
                Reason.DEADLINE_TOO_SHORT,
                "the cloud would not have answered by the call's deadline, so it was not asked",
                measured=f"{left:.2f} s",
                allowed=f"about {needed:.2f} s",
            )

    def _expected_wait(self, ahead: int) -> float:
        """Seconds until a call may start that has so many others ahead of it."""
        missing = ahead + 1 - (self.limit - self._in_flight)
        by_slots = max(0, missing) * self.service_time.mean / self.limit
        by_rate = self._rate.wait(ahead) if self._rate is not None else 0.0
        return max(by_slots, by_rate, self._held_until - self._clock())

    async def _turn(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.create_future())
        displaced = self._queue.push(call.tenant, waiter)
        if displaced is not None:
            displaced.refuse(self._overloaded("too many calls wait for the cloud"))
        limit = loop.call_later(self._settings.queue_time, self._expire, waiter)
        try:
            self._dispatch()
            await waiter.turn
            self._check_time(call, 0.0)  # what went before may have taken longer than expected
        except BaseException:
            if waiter.has_slot:  # it came too late, or as the wait was cancelled
                self._return_unused()
            self._queue.discard(call.tenant, waiter)
            self._dispatch()
            raise
        finally:
            limit.cancel()

    def _expire(self, waiter: "_Waiter") -> None:
        waiter.refuse(self._overloaded("the call has waited too long for its turn at the cloud"))

    def _overloaded(self, message: str) -> GatewayError:
        advice = max(_SHORTEST_ADVICE, self._expected_wait(len(self._queue)))
        return GatewayError(Reason.OVERLOADED, message, retry_after=advice)

    def _start(self) -> None:
        self._in_flight += 1
        if self._rate is not None:
            self._rate.take()

    def _return_unused(self) -> None:
        self._in_flight -= 1
        if self._rate is not None:
            self._rate.give_back()
            self._forget_wake_up()  # the next call may start sooner than that

    def _dispatch(self) -> None:
        """Give out what slots there are, and see to it that this is done again when the next one comes with time."""
        while self._queue and self._in_flight < self.limit:
            pause = self.pause
            if pause > 0.0:
                # A timer that is set comes early enough: pauses only grow while it is.
                if self._wake_up is None:
                    self._wake_up = asyncio.get_running_loop().call_later(pause, self._wake)
                return
            waiter = self._queue.pop()
            if not waiter.turn.done():  # or it was cancelled and has not yet run to leave the queue
                self._start()
                waiter.turn.set_result(None)
        self._forget_wake_up()

    def _forget_wake_up(self) -> None:
        if self._wake_up is not None:
            self._wake_up.cancel()
            self._wake_up = None

    def _wake(self) -> None:
        self._wake_up = None
        self._dispatch()


def _least(settings: LimitSettings) -> int:
    return settings.least if settings.adaptive else settings.concurrency


def _bucket(settings: LimitSettings, clock: Callable[[], float]) -> TokenBucket | None:
    if settings.rate is None:
        return None
    return TokenBucket(settings.rate, settings.burst or max(1.0, settings.rate), clock)


class _Waiter:
    """A call in the queue. Compared by identity."""

    __slots__ = ("turn",)

    def __init__(self, turn: asyncio.Future[None]) -> None:
        self.turn = turn

    @property
    def has_slot(self) -> bool:
        return self.turn.done() and not self.turn.cancelled() and self.turn.exception() is None

    def refuse(self, error: GatewayError) -> None:
        if not self.turn.done():
            self.turn.set_exception(error)
