"""Turns between replicas."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from gateway.redis_store.store import RedisStore

_POLL: Final = 0.1
"""Seconds between two looks whether the one before has finished."""


class RedisLock:
    """One of all replicas at a time, as far as the Redis goes: for what is wasteful to do twice, not for what is wrong to."""

    def __init__(
        self,
        redis: RedisStore,
        name: str,
        *,
        limit: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`limit`: seconds after which a turn ends by itself, should its replica be gone, and for which others wait for it."""
        self._redis = redis
        self._name = name
        self._limit = limit
        self._sleep = sleep

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Inside, it is this replica's turn; or it has waited long enough, or there is no Redis to ask."""
        holder = secrets.token_bytes(16)
        try:
            for _ in range(round(self._limit / _POLL)):
                if await self._redis.add(self._name, holder, ttl=self._limit) is not False:
                    break
                await self._sleep(_POLL)
            yield
        finally:
            await self._redis.remove(self._name, holder)  # also if cancelled before the answer came: it may be ours
