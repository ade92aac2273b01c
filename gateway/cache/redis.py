"""Answers kept in a Redis, which replicas share and which outlives them."""

from typing import Final

from gateway.redis_store import RedisStore

_PREFIX: Final = "answer:"


class RedisAnswers:
    """An `AnswerStore`. How much is kept altogether is up to the Redis (`maxmemory`, with an `allkeys` policy)."""

    def __init__(self, redis: RedisStore, max_entry_bytes: int) -> None:
        """Values over `max_entry_bytes` are not kept, nor read if somebody else kept them."""
        self._redis = redis
        self.max_entry_bytes = max_entry_bytes

    async def get(self, key: bytes) -> bytes | None:
        """What was put under `key`; None also if the Redis does not answer in time."""
        return await self._redis.get(_PREFIX + key.hex(), max_bytes=self.max_entry_bytes)

    async def put(self, key: bytes, value: bytes, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, if it is not too long and the Redis answers."""
        if len(value) <= self.max_entry_bytes:
            await self._redis.set(_PREFIX + key.hex(), value, ttl=ttl)
