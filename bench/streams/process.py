"""The gateway, or the REST face, in a process of its own, and what it takes of the machine."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from tests.upstream.misbehaving.service import PASSWORD


class Gateway:
    """Listens on `address`."""

    def __init__(self, process: Process, address: str, log: BinaryIO) -> None:
        self._process = process
        self._log = log
        self.address = address

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    @property
    def tracebacks(self) -> int:
        """Errors that nobody foresaw, by its log."""
        self._log.seek(0)
        return self._log.read().count(b"Traceback (most recent call last)")

    @property
    def memory(self) -> int:
        """Resident bytes now. Linux only."""
        return self._status("VmRSS")

    @property
    def peak(self) -> int:
        """The most resident bytes since the start."""
        return self._status("VmHWM")

    @property
    def cpu(self) -> float:
        """Seconds of CPU used since the start."""
        used = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def files(self) -> int:
        """Open files and sockets."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    async def stop(self) -> float:
        """Have it drain. Returns the seconds until it has ended, which are few unless calls are under way."""
        started_at = time.perf_counter()
        self._process.terminate()
        await self._process.wait()
        return time.perf_counter() - started_at

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name))) << 10


@contextlib.asynccontextmanager
async def running_gateway(cloud: str, settings: Mapping[str, object], *, provider: str = "cloud") -> AsyncIterator[Gateway]:
    """A gateway whose cloud is at that URL; `settings` by their variables, without the prefix."""
    given = {
        "CLOUD_ENDPOINT": cloud,
        "CLOUD_IAM_ENDPOINT": cloud,
        "CLOUD_USER": "ada",
        "CLOUD_DOMAIN": "acme",
        "CLOUD_PASSWORD": PASSWORD,
        "PREPARE_STRIP_METADATA": False,
        **settings,
    }
    async with _running("serve", ["--provider", provider], given, "ready grpc=") as gateway:
        yield gateway


@contextlib.asynccontextmanager
async def running_face(settings: Mapping[str, object]) -> AsyncIterator[Gateway]:
    """A REST face; `settings` likewise."""
    async with _running("rest", [], settings, "ready http=") as face:
        yield face


@contextlib.asynccontextmanager
async def _running(command: str, options: Iterable[str], given: Mapping[str, object], ready: str) -> AsyncIterator[Gateway]:
    """`ready`: what stands before the address in the line that says that calls are taken."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMAGE_GATEWAY_")}
    environment |= {f"IMAGE_GATEWAY_{name}": str(value) for name, value in {"LOG_LEVEL": "error", **given}.items()}
    arguments = [sys.executable, "-m", "gateway", command, *options, "--listen", "127.0.0.1:0"]
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*arguments, stdin=DEVNULL, stdout=PIPE, stderr=log, env=environment)
        assert process.stdout is not None
        try:
            line = (await process.stdout.readline()).decode().strip()
            log.seek(0)
            assert line.startswith(ready), line + log.read().decode()
            yield Gateway(process, line.removeprefix(ready), log)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
