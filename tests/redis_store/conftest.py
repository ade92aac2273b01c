import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from fakeredis import TcpFakeServer

from gateway.redis_store import RedisSettings, RedisStore


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """A Redis on loopback that can be stopped, and started again on the same port."""

    def __init__(self) -> None:
        self._server: TcpFakeServer | None = None
        self.port = 0

    def start(self) -> None:
        self._server = TcpFakeServer(("127.0.0.1", self.port))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Scripted:
    """A server that records commands and answers them as the test says; `None` is silence."""

    def __init__(self) -> None:
        self.commands: list[list[bytes]] = []
        self.connections = 0
        self.answer: Callable[[list[bytes]], bytes | None] = lambda command: b"+OK\r\n"
        self.port = 0
        self._arrived = asyncio.Event()

    async def heard(self, name: bytes) -> None:
        """Wait until that command has come."""
        while not any(command[0] == name for command in self.commands):
            self._arrived.clear()
            await self._arrived.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                command = []
                for _ in range(int((await reader.readuntil(b"\r\n"))[1:])):
                    length = int((await reader.readuntil(b"\r\n"))[1:])
                    command.append((await reader.readexactly(length + 2))[:-2])
                self.commands.append(command)
                self._arrived.set()
                reply = b"+OK\r\n" if command[0] in {b"CLIENT", b"AUTH", b"SELECT"} else self.answer(command)
                if reply is not None:
                    writer.write(reply)
        writer.close()


@contextlib.asynccontextmanager
async def listening(scripted: Scripted, **options) -> AsyncIterator[Scripted]:
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, **options)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server():
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def scripted():
    async with listening(Scripted()) as scripted:
        yield scripted


@pytest.fixture
async def opened(clock):
    """Opens a store on a port of loopback."""
    stores = []

    def opened(port: int, scheme: str = "redis", user: str = "", **settings) -> RedisStore:
        stores.append(RedisStore(RedisSettings(url=f"{scheme}://{user}127.0.0.1:{port}/0", **{"timeout": 5.0} | settings), clock))
        return stores[-1]

    yield opened
    for store in stores:
        await store.aclose()
