"""What the cache asks of a place to keep answers in."""

from typing import Protocol


class AnswerStore(Protocol):
    """Bytes by keys of 32 bytes, for a while. It may forget any of them at any time, and fails no call: trouble is a miss."""

    async def get(self, key: bytes) -> bytes | None:
        """What was put under `key`, unless its time is over or it has been forgotten."""

    async def put(self, key: bytes, value: bytes, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, in place of what was there. Values that are too long may be left out."""
