"""What one tenant has at work and has sent lately, against what it may. Counts pictures."""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import Limits
from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.upstream.resilience.rate import TokenBucket

_PLACE_SECONDS: Final = 1.0
"""What is asked to be waited for a place, of which nobody knows when it will be free."""


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several processes may use of what all may together: its place among them, from 0, and their number."""

    index: int = 0
    count: int = 1

    def of(self, whole: int) -> int:
        """This process's part of a number, at least 1."""
        return max(1, whole // self.count + (self.index < whole % self.count))


def _later(seconds: float, work: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, work)


class Allowance:
    """Of one tenant, in one event loop.

    A picture of a single call or a batch is refused where there is no room; an item of a stream waits for its turn, in the order
    of arrival, by which flow control holds its client back.
    """

    def __init__(
        self, limits: Limits, share: Share, metrics: AccessMetrics, clock: Callable[[], float], later: Later = _later
    ) -> None:
        """`clock` counts seconds from any instant on; `later` calls something after so many of them."""
        self._share = share
        self._metrics = metrics
        self._clock = clock
        self._later = later
        self._at_work = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: Timer | None = None
        self._bucket: TokenBucket | None = None
        self.limits = limits
        self._fill()

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost if another one took its place: nothing is at work, and nothing was lately."""
        full = self._bucket is None or self._bucket.is_full
        return not self._at_work and not self._waiting and full

    @property
    def places(self) -> int | None:
        """Pictures at work at once that are allowed here; None for any number."""
        return None if self.limits.concurrency is None else self._share.of(self.limits.concurrency)

    def change(self, limits: Limits) -> None:
        """Go by other limits from now on. What is at work is counted on."""
        before, self.limits = self.limits, limits
        if (before.rate, before.burst) != (limits.rate, limits.burst):
            self._fill()
        self._admit()

    @contextlib.contextmanager
    def picture(self) -> Iterator[None]:
        """Count a picture at work inside. Raises `GatewayError` with `TENANT_LIMIT_EXCEEDED` if it may not be."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._begun())
            yield

    async def turn(self, call: Call) -> Callable[[], None]:
        """Wait until one more picture may be at work; what is returned must be called once it is not any more.

        Raises `GatewayError` with `DEADLINE_EXCEEDED` if the deadline of `call` passes before.
        """
        if self.limits.shadow or (not self._waiting and self._obstacle() is None):
            return self._begun()
        self._metrics.waited(self.limits.tenant_class)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._admit()  # sets the timer
        try:
            async with call.bounded():
                await place
        except BaseException:
            if place.done() and not place.cancelled():
                self._end()
            else:
                with contextlib.suppress(ValueError):  # passed over already
                    self._waiting.remove(place)
                self._admit()
            raise
        return self._end

    def _begun(self) -> Callable[[], None]:
        """Count a picture that begins; what is returned counts its end."""
        obstacle = self._obstacle()
        if obstacle is None:
            self._begin()
            return self._end
        if self.limits.shadow:
            self._metrics.refused_in_shadow(self.limits.tenant_class, obstacle)
            return _nothing  # it would not be at work
        self._metrics.refused(self.limits.tenant_class, obstacle)
        raise self._refusal(obstacle)

    def _obstacle(self) -> str | None:
        """The limit, if any, that keeps a picture from beginning now."""
        if self.places is not None and self._at_work >= self.places:
            return "concurrency"
        return "rate" if self._rate_pause() > 0 else None

    def _rate_pause(self) -> float:
        return 0.0 if self._bucket is None else self._bucket.wait()

    def _refusal(self, obstacle: str) -> GatewayError:
        if obstacle == "concurrency":
            allowed, pause = f"at most {self.places} pictures at once", _PLACE_SECONDS
        else:
            allowed, pause = f"{(self.limits.rate or 0) / self._share.count:g} pictures a second", self._rate_pause()
        return GatewayError(
            Reason.TENANT_LIMIT_EXCEEDED,
            f"the tenant is at its limit of {allowed.removeprefix('at most ')}; send the call again later, or use a stream",
            allowed=allowed,
            retry_after=pause,
        )

    def _begin(self) -> None:
        self._at_work += 1
        if self._bucket is not None:
            self._bucket.take()

    def _end(self) -> None:
        self._at_work -= 1
        self._admit()

    def _admit(self) -> None:
        """Let in who waits, as far as there is room, and look again when there will be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and (self.limits.shadow or self._obstacle() is None):
            place = self._waiting.popleft()
            if not place.done():
                self._begin()
                place.set_result(None)
        if self._waiting and (pause := self._rate_pause()) > 0:
            self._timer = self._later(pause, self._admit)

    def _fill(self) -> None:
        rate, burst = self.limits.rate, self.limits.burst
        if rate is None:
            self._bucket = None
            return
        here = rate / self._share.count
        most = self._share.of(burst) if burst is not None else max(1, math.floor(here))
        self._bucket = TokenBucket(here, most, self._clock)


def _nothing() -> None:
    """The end of a picture that was not counted."""
