"""Files in pieces that every gRPC client takes, and the hash by which it knows that it has them all."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Final

MAX_REPLY_BYTES: Final = (4 << 20) - (64 << 10)
"""The longest file of a unary reply. gRPC clients refuse messages over 4 MiB unless told otherwise; the rest of the message
takes a few hundred bytes."""

CHUNK_BYTES: Final = 1 << 20
"""The longest piece."""

_HASH_HERE_BYTES: Final = 64 << 10
"""Up to this length a hash takes less than a hop to a thread and back."""


def chunked(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The pieces of `data` with the number of bytes before each, made one by one, so that the file is not held twice."""
    for offset in range(0, len(data), CHUNK_BYTES):
        yield offset, data[offset : offset + CHUNK_BYTES]


async def sha256_of(data: bytes) -> bytes:
    """The 32 bytes of its SHA-256."""
    if len(data) <= _HASH_HERE_BYTES:
        return hashlib.sha256(data).digest()
    # On the loop's own threads, not on those of preparation: there it would wait behind pictures, which take far longer.
    return await asyncio.to_thread(lambda: hashlib.sha256(data).digest())
