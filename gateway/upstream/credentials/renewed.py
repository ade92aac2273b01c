"""What is fetched once however many wait, and renewed while it serves: ahead of time, or when somebody wants another one."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.protocol import Holding
from gateway.upstream.credentials.retried import PASSING

_log = logging.getLogger(__name__)

EXPIRY_MARGIN: Final = 60.0
"""Seconds before `expires_at` at which a value is no longer used, short-lived ones apart: covers clock skew and a call."""

FAILURE_HOLD: Final = 5.0
"""Seconds during which a failed fetch is not tried again by every waiting call."""

LONGEST_HOLD: Final = 300.0
"""Each further refusal of the credentials doubles the hold, up to this: accounts are locked after too many."""

PASSING_HOLD: Final = 1.0
"""Seconds after a failure that may pass, unless the service asks for more."""


class Perishable(Protocol):
    """What has an end. Times are seconds since the epoch; infinity for never."""

    @property
    def renew_at(self) -> float:
        """From when on it is to be replaced while it still serves; at most `expires_at`."""

    @property
    def expires_at(self) -> float:
        """From when on it is of no use."""


P = TypeVar("P", bound=Perishable)


class Renewed(Generic[P]):
    """Hands out a valid value.

    At most one fetch is under way at any time, whoever asked for it. While a valid value exists a renewal never makes
    anyone wait; if it fails, the old value serves until it expires. A cancelled waiter leaves the fetch to the others.
    """

    def __init__(
        self, what: str, fetch: Callable[[], Awaitable[P]], clock: Callable[[], float], longest_hold: float = LONGEST_HOLD
    ) -> None:
        """`what` is its name in the log. `fetch` gets a new value or raises `GatewayError`; `clock` returns seconds since the
        epoch. `longest_hold`: seconds up to which each further refusal doubles the hold; `FAILURE_HOLD` where asking is harmless.
        """
        self._what = what
        self._fetch = fetch
        self._clock = clock
        self._longest_hold = longest_hold
        self._told = ""  # the last failure, as it was logged
        self._value: P | None = None
        self._flight: asyncio.Task[P] | None = None
        self._failure: GatewayError | None = None
        self._held_at = float("-inf")
        self._retry_at = float("-inf")
        self._refused_at = float("-inf")
        self._refusals = 0  # of the credentials, one after the other
        self._fetched_at = float("-inf")
        self._fetches = self._failures = 0

    @property
    def value(self) -> P | None:
        """What is held, valid or not; None while there is nothing, or a dropped one is being replaced."""
        return self._value

    def holding(self) -> Holding:
        """What is held now, and how often it was fetched."""
        if self._value is None:
            return Holding(math.nan, math.nan, self._fetches, self._failures)
        now = self._clock()
        return Holding(now - self._fetched_at, self._value.expires_at - now, self._fetches, self._failures)

    async def get(self) -> P:
        """Return a value that is valid now. Raises what the fetch raised, if none is to be had."""
        value = self._value
        now = self._clock()
        if value is None or now >= _last_use(value):
            return await self._next()
        if now >= value.renew_at:
            self.renew()
        return value

    async def another(self, than: P) -> P:
        """Return a valid value other than `than`. Raises what the fetch raised, if none is to be had."""
        return await (self._next() if self._value is than else self.get())

    def renew(self) -> None:
        """Have another value fetched, while the one that is held serves on; not so soon after a fetch that failed."""
        if self._flight is None and not self._is_held(self._clock()):
            self._flight = self._start_flight()

    def drop(self, value: P) -> None:
        """Have the next caller fetch, unless `value` has been replaced by another one meanwhile."""
        if self._value == value:
            self._value = None

    async def aclose(self) -> None:
        """Stop a renewal that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    async def _next(self) -> P:
        """The value that is being fetched."""
        if self._flight is None:
            self._raise_recent_failure(self._clock())
            self._flight = self._start_flight()
        try:
            return await asyncio.shield(self._flight)
        except GatewayError as error:
            # Each waiter gets its own, which it may add to.
            raise _again(error, error.retry_after) from error.__cause__

    def _is_held(self, now: float) -> bool:
        # A clock that was set back must not prolong a hold.
        return self._held_at <= now < self._retry_at

    def _raise_recent_failure(self, now: float) -> None:
        if self._failure is not None and self._is_held(now):
            raise _again(self._failure, self._retry_at - now)

    def _start_flight(self) -> asyncio.Task[P]:
        flight = asyncio.create_task(self._fly(), name=f"fetch of the {self._what}")
        flight.add_done_callback(self._land)
        return flight

    async def _fly(self) -> P:
        return await self._fetch()

    def _land(self, flight: asyncio.Task[P]) -> None:
        self._flight = None
        if flight.cancelled():
            return
        error = flight.exception()  # also marks it as seen, for a renewal that nobody awaits
        if error is None:
            self._value = flight.result()
            self._fetched_at = self._clock()
            self._fetches += 1
            self._failure, self._retry_at = None, float("-inf")
            self._told = ""
            return
        self._failures += 1
        self._hold(error if isinstance(error, GatewayError) else None)
        complaint = error.message if isinstance(error, GatewayError) else type(error).__name__
        if complaint != self._told:  # else an outage would fill the log
            self._told = complaint
            _log.warning("no %s: %s", self._what, complaint)

    def _hold(self, failure: GatewayError | None) -> None:
        """Let nobody try again for a while."""
        now = self._clock()
        hold = FAILURE_HOLD
        if failure is not None and failure.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED:
            recent = now < self._refused_at + 2 * LONGEST_HOLD
            self._refusals = self._refusals + 1 if recent else 1
            self._refused_at = now
            hold = min(FAILURE_HOLD * 2.0 ** min(self._refusals - 1, 10), self._longest_hold)
        elif failure is not None and failure.reason in PASSING:
            hold = min(max(PASSING_HOLD, failure.retry_after or 0.0), LONGEST_HOLD)
        self._failure, self._held_at, self._retry_at = failure, now, now + hold


def _last_use(value: Perishable) -> float:
    """From when on a value is no longer handed out."""
    return max(value.expires_at - EXPIRY_MARGIN, value.renew_at)


def _again(failure: GatewayError, retry_after: float | None) -> GatewayError:
    return GatewayError(failure.reason, failure.message, retry_after=retry_after, upstream=failure.upstream)
