"""The misbehaving server in a process of its own, and how to talk to it."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from tests.upstream.misbehaving.books import Books

from .weather import Weather

_ROOT: Final = Path(__file__).parents[2]
_LONGEST_LINE: Final = 256 << 20
"""Bytes; the books name every call."""


class Cloud:
    """Listens on `port` of 127.0.0.1."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    async def books(self) -> Books:
        return Books.from_json(await self._told("books"))

    async def settle(self) -> None:
        """Wait until the server has noticed that no client is left, for 2 seconds at most."""
        await self._told("settle")

    async def shut(self) -> None:
        """Close the port and all connections."""
        await self._told("shut")

    async def open(self) -> None:
        """Open the port again."""
        await self._told("open")

    async def _told(self, command: str) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n".encode())
        return await self._process.stdout.readline()


@contextlib.asynccontextmanager
async def running_cloud(weather: Weather) -> AsyncIterator[Cloud]:
    """A server in such weather, which ends with the context."""
    given = {
        "seed": weather.seed,
        "share": weather.share,
        "weights": json.dumps(weather.weights),
        "calm": weather.calm,
        "storm-every": weather.storm_every,
        "storm-length": weather.storm_length,
        "latency": weather.latency,
        "skew": weather.skew,
    }
    arguments = [f"--{name}={value}" for name, value in given.items()]
    command = [sys.executable, "-m", "tests.upstream.misbehaving", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=_ROOT, limit=_LONGEST_LINE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Cloud(process, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()
