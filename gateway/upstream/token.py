"""The cached token: fetched once however many wait, renewed ahead of time, dropped when the service refuses it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import GatewayError, Reason

_log = logging.getLogger(__name__)

EXPIRY_MARGIN: Final = 60.0
"""Seconds before `expires_at` at which a token is no longer used, short-lived ones apart: covers clock skew and a call."""

REFRESH_SHARE: Final = 0.1
"""A token is renewed, in the background, once this share of its lifetime is left (2.4 hours of 24)."""

FAILURE_HOLD: Final = 5.0
"""Seconds during which a failed fetch is not tried again by every waiting call."""

_NEW_SECONDS: Final = 60.0
"""For so long a token counts as new."""

LONGEST_HOLD: Final = 300.0
"""Each further refusal of the credentials doubles the hold, up to this: accounts are locked after too many."""


@dataclass(frozen=True, slots=True)
class Token:
    """A project-scoped token. `issued_at` and `expires_at` are seconds since the epoch; `value` is never shown."""

    value: str = field(repr=False)
    project_id: str
    issued_at: float
    expires_at: float


class TokenCache:
    """Hands out a valid token.

    At most one fetch is under way at any time, whoever asked for it. While a valid token exists a renewal never makes
    anyone wait; if it fails, the old token serves until it expires. A cancelled waiter leaves the fetch to the others.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Callable[[], float]) -> None:
        """`fetch` gets a new token or raises `GatewayError`; `clock` returns seconds since the epoch."""
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None
        self._failure: GatewayError | None = None
        self._retry_at = 0.0
        self._landed_at = 0.0
        self._replaces_refused = False  # the token was fetched because the one before had been refused
        self._failed_at = float("-inf")
        self._refusals = 0  # of the credentials, one after the other

    async def get(self) -> Token:
        """Return a token that is valid now. Raises what the fetch raised, if none is to be had."""
        token = self._token
        now = self._clock()
        if token is None or now >= token.expires_at - min(EXPIRY_MARGIN, _renewal_time(token)):
            if self._flight is None:
                self._raise_recent_failure(now)
                self._flight = self._start_flight()
            return await asyncio.shield(self._flight)
        if now >= token.expires_at - _renewal_time(token) and self._may_renew(now):
            self._flight = self._start_flight()
        return token

    def reject(self, token: Token, refusal: GatewayError) -> None:
        """Drop `token`, which the service refused; if it has been replaced meanwhile, the new one stays.

        If it is the new one that is refused, that counts as a failed fetch.
        """
        if self._token is not token:
            return
        self._token = None
        # Refused as soon as it was fetched, and fetched because one was refused: new tokens do not help.
        if self._replaces_refused and self._clock() < self._landed_at + _NEW_SECONDS:
            self._hold(refusal)
        self._replaces_refused = True

    async def aclose(self) -> None:
        """Stop a renewal that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    def _may_renew(self, now: float) -> bool:
        return self._flight is None and now >= self._retry_at

    def _raise_recent_failure(self, now: float) -> None:
        if self._failure is not None and now < self._retry_at:
            # A new object: the same one raised in many tasks would grow one traceback without end.
            raise GatewayError(
                self._failure.reason,
                self._failure.message,
                retry_after=self._retry_at - now,
                upstream=self._failure.upstream,
            )

    def _start_flight(self) -> asyncio.Task[Token]:
        flight = asyncio.create_task(self._fly(), name="token fetch")
        flight.add_done_callback(self._land)
        return flight

    async def _fly(self) -> Token:
        return await self._fetch()

    def _land(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if flight.cancelled():
            return
        error = flight.exception()  # also marks it as seen, for a renewal that nobody awaits
        if error is None:
            if self._token is not None:  # renewed in peace
                self._replaces_refused = False
            self._token = flight.result()
            self._failure, self._retry_at = None, 0.0
            self._landed_at = self._clock()
            return
        self._hold(error if isinstance(error, GatewayError) else None)
        _log.warning("no token: %s", error if isinstance(error, GatewayError) else type(error).__name__)

    def _hold(self, failure: GatewayError | None) -> None:
        """Let nobody try again for a while."""
        now = self._clock()
        hold = FAILURE_HOLD
        if failure is not None and failure.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED:
            recent = now < self._failed_at + 2 * LONGEST_HOLD
            self._refusals = self._refusals + 1 if recent else 1
            self._failed_at = now
            hold = min(FAILURE_HOLD * 2.0 ** min(self._refusals - 1, 10), LONGEST_HOLD)
        self._failure, self._retry_at = failure, now + hold


def _renewal_time(token: Token) -> float:
    """Seconds before its expiry at which a token is renewed."""
    return REFRESH_SHARE * (token.expires_at - token.issued_at)
