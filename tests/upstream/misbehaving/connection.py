"""One connection of a client, which the server may end in several ways."""

import asyncio
import contextlib
import socket
import struct
from typing import Final

DRIP_SECONDS: Final = 0.02
_FLOOD: Final = b" " * (64 << 10)


class Connection:
    """What is read from and written to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @property
    def is_left(self) -> bool:
        """Whether the client has gone."""
        return self.reader.at_eof() or self.reader.exception() is not None

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """Break it by RST."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    async def close(self) -> None:
        """End it, by FIN if it has not been ended otherwise."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def left(self) -> None:
        """Wait until the client has gone, whatever else it says."""
        with contextlib.suppress(OSError):
            while await self.reader.read(1 << 16):
                pass

    async def drip(self) -> None:
        """One more byte now and then, until the client has gone."""
        await self._until_left(b" ", DRIP_SECONDS)

    async def flood(self) -> None:
        """As much as the client takes, until it has gone."""
        await self._until_left(_FLOOD, 0)

    async def _until_left(self, piece: bytes, pause: float) -> None:
        leaving = asyncio.create_task(self.left())
        try:
            with contextlib.suppress(OSError):
                while not leaving.done():
                    await self.write(piece)
                    await asyncio.wait([leaving], timeout=pause)
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
