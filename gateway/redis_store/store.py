"""Bytes by names in a Redis. Trouble with it is never the caller's: it is as if nothing had been kept."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from gateway.redis_store.settings import RedisSettings

_log = logging.getLogger(__name__)

HOLD: Final = 5.0
"""Seconds for which the Redis is left alone after it failed; then one command tries whether it is back."""

_T = TypeVar("_T")


class RedisStore:
    """A Redis, for one event loop. Nothing here raises because of it, or takes longer than `settings.timeout`."""

    def __init__(self, settings: RedisSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Connects when it is first used. Raises `ValueError` naming the setting, or the package, that is missing or wrong.

        `clock` returns seconds and never goes back.
        """
        settings.check_complete()
        try:
            from gateway.redis_store.client import RedisClient  # noqa: PLC0415  # only where it is used: an extra
        except ModuleNotFoundError as error:
            msg = "url: a Redis needs the Python package redis; install image-gateway[redis]"
            raise ValueError(msg) from error
        self._client = RedisClient(settings)
        self._prefix = settings.prefix
        self._timeout = settings.timeout
        self._clock = clock
        self._failing = False
        self._retry_at = 0.0
        self._refusals: set[str] = set()  # of which the log has been told

    @property
    def failing(self) -> bool:
        """Whether the last command that was tried failed."""
        return self._failing

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get(self, name: str, *, max_bytes: int) -> bytes | None:
        """What is kept under `name`; None if that is nothing, or more than `max_bytes`."""
        # Of what somebody else has put there no more than that is read, and one byte to tell.
        kept = await self._tried(lambda: self._client.get(self._prefix + name, max_bytes + 1))
        return kept if kept and len(kept) <= max_bytes else None

    async def set(self, name: str, value: bytes, *, ttl: float) -> None:
        """Keep `value` for `ttl` seconds."""
        await self._tried(lambda: self._client.set(self._prefix + name, value, ttl))

    async def add(self, name: str, value: bytes, *, ttl: float) -> bool | None:
        """Likewise, but only if nothing is kept under `name`: whether that was so; None if that cannot be said."""
        return await self._tried(lambda: self._client.add(self._prefix + name, value, ttl))

    async def remove(self, name: str, value: bytes) -> None:
        """Drop what is kept under `name`, if it is `value`."""
        await self._tried(lambda: self._client.remove(self._prefix + name, value))

    async def take(self, name: str, limit: int, *, owed: int, ttl: float) -> tuple[bool, int] | None:
        """Add `owed` to the number under `name`, then 1 if it is below `limit` still: whether it was, and the number now; None if
        that cannot be said. Whoever got no answer may have been counted all the same."""
        return await self._tried(lambda: self._client.take(self._prefix + name, limit, owed, ttl))

    async def give_back(self, name: str) -> None:
        """Take 1 from the number under `name`, if it is above 0."""
        await self._tried(lambda: self._client.give_back(self._prefix + name))

    async def _tried(self, command: Callable[[], Awaitable[_T]]) -> _T | None:
        """What the Redis says; None if it does not, or has lately failed to."""
        if self._failing:
            now = self._clock()
            if now < self._retry_at:
                return None
            self._retry_at = now + HOLD  # one tries, and the others do not wait for it
        try:
            async with asyncio.timeout(self._timeout):
                reply = await command()
        except Exception as error:  # noqa: BLE001  # whatever the library makes of what a broken server sends
            if isinstance(error, self._client.refusal):
                self._refused(error)
            else:
                self._failed(error)
            return None
        if self._failing:
            self._failing = False
            self._refusals.clear()
            _log.info("the Redis answers again")
        return reply

    def _refused(self, error: Exception) -> None:
        """Not left alone: a Redis that takes nothing more still gives."""
        kind = type(error).__name__
        if kind not in self._refusals:
            self._refusals.add(kind)
            _log.warning("the Redis refuses a command (%s); going on without it", kind)

    def _failed(self, error: Exception) -> None:
        self._retry_at = self._clock() + HOLD
        if not self._failing:
            self._failing = True
            # The kind only: messages quote addresses and what was sent.
            _log.warning("the Redis does not answer (%s); going on without it for now", type(error).__name__)
