"""A worker as the supervisor sees it."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.workers.channel import READY, Place


class WorkerProcess:
    """One worker, from its start to its end."""

    def __init__(
        self, process: asyncio.subprocess.Process, index: int, connection: socket.socket, pages_at: Path | None = None
    ) -> None:
        """`pages_at`: where its operators' pages are, if it has any."""
        self.index = index
        self.pages_at = pages_at
        self.accepts = False
        """Whether it takes calls, and is not on its way to its end."""
        self._process = process
        self._connection = connection
        self.name = f"worker {index} (process {process.pid})"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def is_ready(self, seconds: float) -> bool:
        """Wait until it accepts calls; false if it ends before, or takes longer."""
        try:
            async with asyncio.timeout(seconds):
                self.accepts = await asyncio.get_running_loop().sock_recv(self._connection, len(READY)) == READY
        except (TimeoutError, OSError):
            return False
        return self.accepts

    async def ended(self) -> int:
        """Wait for its end; gives its exit status, or the signal that killed it as a negative number."""
        status = await self._process.wait()
        self.accepts = False
        if self.pages_at is not None:
            self.pages_at.unlink(missing_ok=True)
        self._connection.close()
        return status

    def drain(self) -> None:
        """Have it end what is under way, and then itself."""
        self.accepts = False
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


async def start_worker(command: Callable[[Place], Sequence[str]], index: int, pages_at: Path | None = None) -> WorkerProcess:
    """Start what `command` gives for a place. A new program, no fork of this one, which gRPC would not survive."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *command(Place(index, theirs.fileno(), pages_at)),
            pass_fds=(theirs.fileno(),),
            process_group=0,  # of its own: what is typed at a terminal (^C) is for the supervisor, who passes it on once
        )
    return WorkerProcess(process, index, ours, pages_at)
