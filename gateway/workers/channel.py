"""How a worker and its supervisor know of each other: a socket on which the one says that it is ready, and each sees the other's
end."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

READY: Final = b"ready\n"


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is told of itself, as one argument of its command line."""

    index: int
    """Which one of the workers it is, from 0."""
    descriptor: int
    """Of the socket that leads to the supervisor."""
    pages_at: Path | None = None
    """Where the supervisor wants the operators' pages, if there are to be any."""

    def __str__(self) -> str:
        return f"{self.index}:{self.descriptor}:{self.pages_at or ''}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The inverse of `str`. Raises `ValueError`."""
        index, descriptor, pages_at = text.split(":", 2)
        return cls(int(index), int(descriptor), Path(pages_at) if pages_at else None)


class SupervisorLink:
    """The worker's end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def announce_ready(self) -> None:
        """Tell the supervisor that calls are accepted."""
        # Nobody to tell is no failure of this call: `orphaned` sees to that.
        with contextlib.suppress(OSError):
            self._connection.sendall(READY)

    @contextlib.contextmanager
    def orphaned(self, stop: asyncio.Event) -> Iterator[None]:
        """Set `stop` when the supervisor is gone: it would not be there to say so, and the port would stay taken."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._connection, stop.set)
        try:
            yield
        finally:
            loop.remove_reader(self._connection)
