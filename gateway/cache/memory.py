"""Answers kept in this process: the least recently used go first."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.cache.settings import ENTRY_SHARE

ENTRY_OVERHEAD: Final = 256
"""Bytes that an entry takes besides those of key and value: headers of objects, a float, its places in the dictionary and in the
order of use. `tracemalloc` says 212 to 252, of CPython 3.11 on 64 bits."""


@dataclass(frozen=True, slots=True)
class _Entry:
    value: bytes
    expires_at: float


class MemoryStore:
    """An `AnswerStore` for one event loop, of at most `max_bytes`, keys and overhead included."""

    def __init__(self, max_bytes: int, clock: Callable[[], float]) -> None:
        """`clock` returns seconds and never goes back, as `time.monotonic`."""
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()  # the least recently used first
        self._bytes = 0

    @property
    def entries(self) -> int:
        """How many answers are kept, those included whose time is over and that nobody has asked for since."""
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """What they take."""
        return self._bytes

    def resize(self, max_bytes: int) -> None:
        """From now on of at most `max_bytes`."""
        self._max_bytes = max_bytes
        self._make_room(0)

    async def get(self, key: bytes) -> bytes | None:
        """What was put under `key`; it counts as used now."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._clock() >= entry.expires_at:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.value

    async def put(self, key: bytes, value: bytes, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, unless it takes more than an eighth of the bound."""
        self._drop(key)
        size = _size(key, value)
        if size > self._max_bytes // ENTRY_SHARE:
            return
        self._make_room(size)
        self._entries[key] = _Entry(value, self._clock() + ttl)
        self._bytes += size

    def _make_room(self, size: int) -> None:
        while self._bytes + size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _size(key, entry.value)


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + ENTRY_OVERHEAD
