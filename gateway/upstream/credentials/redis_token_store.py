"""A token in a Redis: the store of replicas that share no folder."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from gateway.redis_store import RedisLock, RedisStore
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_document import MAX_BYTES, read_token, write_token
from gateway.upstream.credentials.token_store import TURN_LIMIT


class RedisTokenStore:
    """A `TokenStore`: keeps the token of one account until it expires. Whoever may read the Redis can use the token."""

    def __init__(
        self,
        redis: RedisStore,
        account: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`account` names the key; `clock` returns seconds since the epoch, `sleep` waits for some seconds."""
        self._redis = redis
        self._name = f"token:{account}"
        self._lock = RedisLock(redis, f"token-turn:{account}", limit=TURN_LIMIT, sleep=sleep)
        self._clock = clock

    async def load(self) -> Token | None:
        """The saved token; None if there is none, or none that can be read."""
        kept = await self._redis.get(self._name, max_bytes=MAX_BYTES)
        return None if kept is None else read_token(kept)

    async def save(self, token: Token) -> None:
        """Keep `token` until it expires."""
        left = token.expires_at - self._clock()
        if left > 0:
            await self._redis.set(self._name, write_token(token), ttl=left)

    async def forget(self, token: Token) -> None:
        """Drop `token`, if it is the one that is kept."""
        await self._redis.remove(self._name, write_token(token))

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Inside, no other replica is, as far as can be told."""
        return self._lock.turn()
