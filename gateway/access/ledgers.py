"""Where calls of daily budgets are counted: in this process, or in a Redis for all replicas."""

from collections import defaultdict
from typing import Final, Protocol

from gateway.access.days import DAY_SECONDS
from gateway.redis_store import RedisStore

_KEEP: Final = 2 * DAY_SECONDS
"""For how long a day's count is kept: past its end, for what is given back late."""


class Ledger(Protocol):
    """Counts by tenant and day."""

    async def take(self, tenant: str, day: str, limit: int) -> bool | None:
        """Count one call if fewer than `limit` are counted, in one step; whether it was. None: that cannot be said."""

    async def give_back(self, tenant: str, day: str) -> None:
        """Count one call less."""

    def used(self, tenant: str, day: str) -> int:
        """How many are counted, as far as this process knows."""


class MemoryLedger:
    """Counts in this process, from its start on. Only the latest day is kept."""

    def __init__(self) -> None:
        self._day = ""
        self._used: dict[str, int] = defaultdict(int)

    async def take(self, tenant: str, day: str, limit: int) -> bool:
        """See `Ledger`."""
        if day > self._day:
            self._day = day
            self._used.clear()
        if day < self._day or self._used[tenant] >= limit:  # a clock that is set back grants nothing
            return False
        self._used[tenant] += 1
        return True

    async def give_back(self, tenant: str, day: str) -> None:
        """See `Ledger`."""
        if day == self._day and self._used[tenant] > 0:
            self._used[tenant] -= 1

    def used(self, tenant: str, day: str) -> int:
        """See `Ledger`."""
        return self._used.get(tenant, 0) if day == self._day else 0


class RedisLedger:
    """Counts in a Redis, each call in one step (a script). What is lost on the way there or back counts as spent."""

    def __init__(self, redis: RedisStore, *, counts_here: bool) -> None:
        """`counts_here`: whether calls are counted in this process while the Redis is gone, from what it said last; they are told
        to it once it is back. If not, nothing can be said meanwhile."""
        self._redis = redis
        self._counts_here = counts_here
        self._day = ""
        self._known: dict[str, int] = {}  # what the Redis said last, and what has been counted here since
        self._owed: dict[str, int] = defaultdict(int)  # what it has not been told

    async def take(self, tenant: str, day: str, limit: int) -> bool | None:
        """See `Ledger`."""
        self._turn_to(day)
        owed = self._owed.pop(tenant, 0)
        reply = None
        try:
            reply = await self._redis.take(_name(tenant, day), limit, owed=owed, ttl=_KEEP)
        finally:  # the call may be cancelled meanwhile
            if reply is None and day == self._day:
                self._owed[tenant] += owed  # perhaps counted twice, never not at all
        if reply is not None:
            taken, used = reply
            if day == self._day:
                self._known[tenant] = used
            return taken
        if not self._counts_here:
            return None
        if day != self._day or self._known.get(tenant, 0) >= limit:
            return False
        self._known[tenant] = self._known.get(tenant, 0) + 1
        self._owed[tenant] += 1
        return True

    async def give_back(self, tenant: str, day: str) -> None:
        """See `Ledger`."""
        if day == self._day:
            self._known[tenant] = max(0, self._known.get(tenant, 0) - 1)
            if self._owed.get(tenant, 0) > 0:
                self._owed[tenant] -= 1
                return
        await self._redis.give_back(_name(tenant, day))

    def used(self, tenant: str, day: str) -> int:
        """See `Ledger`."""
        return self._known.get(tenant, 0) if day == self._day else 0

    def _turn_to(self, day: str) -> None:
        if day > self._day:
            self._day = day
            self._known.clear()
            self._owed.clear()


def _name(tenant: str, day: str) -> str:
    return f"budget:{day}:{tenant}"
