"""A Redis that replicas share: what it is good for is worth having, and nothing fails without it."""

from gateway.redis_store.lock import RedisLock
from gateway.redis_store.settings import RedisSettings
from gateway.redis_store.store import RedisStore

__all__ = ["RedisLock", "RedisSettings", "RedisStore"]
