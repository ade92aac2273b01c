"""The connections of redis-py. Imported only where a Redis is used: the package is an extra."""

import contextlib
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool, Connection, SSLConnection
from redis.credentials import CredentialProvider
from redis.exceptions import ResponseError, WatchError

from gateway.redis_store.settings import RedisSettings

_CONNECTIONS: Final = 32
"""At most; commands take well under a millisecond, so that more would wait for the same server only."""


_TAKE: Final = """
local used = redis.call('INCRBY', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if used >= tonumber(ARGV[1]) then return {0, used} end
return {1, redis.call('INCR', KEYS[1])}
"""

_GIVE_BACK: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used > 0 then redis.call('DECR', KEYS[1]) end
return 0
"""
"""Scripts, since each must be one step for all replicas."""


class _Credentials(CredentialProvider):
    """Asked for every new connection, so that a password can be changed while the gateway runs."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        user, password = self._settings.credentials()
        return (user, password) if user else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        return self.get_credentials()


class RedisClient:
    """The commands that are used, by whole keys; they raise what redis-py raises. None is tried twice."""

    refusal: Final = ResponseError
    """What is raised when the server is well, but will not do what it was told: it is full, or this user may not."""

    def __init__(self, settings: RedisSettings) -> None:
        """Connects when it is first used."""
        self._redis = _redis(settings)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def get(self, key: str, max_bytes: int) -> bytes:
        """The first `max_bytes` of what is kept under `key`; nothing, if nothing is."""
        kept = await self._redis.getrange(key, 0, max_bytes - 1)
        return kept if isinstance(kept, bytes) else b""

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep `value` for `ttl` seconds."""
        await self._redis.set(key, value, px=_milliseconds(ttl))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Likewise, but only if nothing is kept under `key`; whether that was so."""
        return bool(await self._redis.set(key, value, px=_milliseconds(ttl), nx=True))

    async def remove(self, key: str, value: bytes) -> None:
        """Drop what is kept under `key`, if it is `value`."""
        # A transaction, which fails if the key changes meanwhile; a script would need more rights.
        async with self._redis.pipeline() as pipeline:
            await pipeline.watch(key)
            if await pipeline.get(key) == value:
                pipeline.multi()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                pipeline.delete(key)
                with contextlib.suppress(WatchError):
                    await pipeline.execute()

    async def take(self, key: str, limit: int, owed: int, ttl: float) -> tuple[bool, int]:
        """Add `owed` to the number under `key`, then 1 if it is below `limit` still; whether it was, and the number now. The key
        is kept for `ttl` seconds more."""
        script: Any = self._redis.eval(_TAKE, 1, key, limit, owed, _milliseconds(ttl))  # the stubs know no bare reply
        taken, used = await script
        return bool(taken), int(used)

    async def give_back(self, key: str) -> None:
        """Take 1 from the number under `key`, if it is above 0."""
        script: Any = self._redis.eval(_GIVE_BACK, 1, key)  # likewise
        await script


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _redis(settings: RedisSettings) -> Redis:
    parts = urlsplit(settings.address())
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 6379,
        "db": int(parts.path.strip("/") or 0),
        "socket_timeout": settings.timeout,
        "socket_connect_timeout": settings.timeout,
        "socket_keepalive": True,
        "protocol": 2,  # spares each connection a greeting; nothing of version 3 is used
    }
    if any(settings.credentials()):
        options["credential_provider"] = _Credentials(settings)
    if parts.scheme == "rediss":
        options |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
            "ssl_ca_certs": str(settings.ca_file) if settings.ca_file else None,
        }
    pool = BlockingConnectionPool(
        max_connections=_CONNECTIONS,
        timeout=settings.timeout,
        connection_class=SSLConnection if parts.scheme == "rediss" else Connection,
        **options,
    )
    return Redis.from_pool(pool)
