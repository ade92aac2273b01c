"""One worker's process, seen from the gateway."""

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from gateway.breadth.worker.wire import MAX_HEADER, PREFIX, frame_head

SCRIPT: Final = Path(__file__).parent / "worker" / "__main__.py"

_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    # Large blocks go back to the system at once, so that one picture's memory is no part of the next one's limit.
    "MALLOC_MMAP_THRESHOLD_": "131072",
}
"""All that a worker sees of an environment; the gateway's own holds credentials."""

_READ_AHEAD: Final = 1 << 20

T = TypeVar("T")


class WorkerEndedError(Exception):
    """The process is gone, or does not keep to the protocol. `status` is what it ended with: minus the signal, if one."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}" if status >= 0 else f"signal {-status}")
        self.status = status


class ProtocolError(Exception):
    """The worker said something that a worker does not say."""


class WorkerProcess:
    """A worker that is asked one thing at a time. After any exception it is only good for `end`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._reaper: asyncio.Task[int] | None = None
        self.asked = 0

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended, as far as is known."""
        return self._process.returncode is None

    @classmethod
    async def start(cls, command: Sequence[str]) -> "WorkerProcess":
        """Start `command`. Raises `OSError` if that is not possible."""
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # the C libraries' complaints quote files
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # out of reach of the terminal's Ctrl-C
                limit=_READ_AHEAD,
            )
        )

    async def send(self, header: dict[str, Any], data: bytes) -> None:
        """Write one request. Raises `WorkerEndedError`."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it is a pipe
        self.asked += 1
        try:
            stdin.write(frame_head(header, len(data)))
            stdin.write(data)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise WorkerEndedError(await asyncio.shield(self.end())) from error

    async def receive(self, expected: TypeAdapter[T], *, max_payload: int) -> tuple[T, bytes]:
        """Read one frame, its header of the form that is `expected`. Raises `WorkerEndedError` and `ProtocolError`."""
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it is a pipe
        try:
            header_length, payload_length = PREFIX.unpack(await stdout.readexactly(PREFIX.size))
            if header_length > MAX_HEADER or payload_length > max_payload:  # before anything is read into memory
                msg = "a frame over the limits"
                raise ProtocolError(msg)
            header = expected.validate_python(json.loads(await stdout.readexactly(header_length)))
            return header, await stdout.readexactly(payload_length)
        except asyncio.IncompleteReadError as error:
            raise WorkerEndedError(await asyncio.shield(self.end())) from error
        except (ValueError, RecursionError) as error:
            msg = "a frame that is none"
            raise ProtocolError(msg) from error

    def kill(self) -> None:
        """Kill the process, so that whoever waits for it has `WorkerEndedError`."""
        if self._process.returncode is None:
            # Not by Process.kill: that looks first whether the process has ended, and thereby takes its status from asyncio.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def end(self) -> asyncio.Task[int]:
        """Kill the process; the task gathers what is left of it and returns its exit status. May be called again.

        For whoever has the worker to himself: nobody may be reading from it.
        """
        if self._reaper is None:
            self.kill()
            self._reaper = asyncio.create_task(self._reap(), name="reap breadth worker")
        return self._reaper

    async def _reap(self) -> int:
        # Reading to the end is what lets the transports close; what a killed process left in a pipe is bounded.
        await self._process.communicate()
        return await self._process.wait()
