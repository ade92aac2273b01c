"""Whoever sends slowly keeps nobody out."""

import asyncio
import contextlib

from aiohttp import web

from gateway.ops.connections import Connections


async def served(connections: Connections) -> tuple[asyncio.Server, int]:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="ok")

    server = await asyncio.get_running_loop().create_server(connections.bounded(web.Server(answer)), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def answered(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    reply = await reader.read()
    writer.close()
    return reply


async def test_headers_that_do_not_come_end_the_connection() -> None:
    connections = Connections(seconds=0.05)
    server, port = await served(connections)
    async with server, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert b"200 OK" in await answered(port)
    assert len(connections) == 0


async def test_beyond_the_bound_the_oldest_makes_room() -> None:
    connections = Connections(most=3, seconds=60)
    server, port = await served(connections)
    async with asyncio.timeout(10):
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        for _, writer in slow:
            writer.write(b"GET / HT")
        assert b"200 OK" in await answered(port)
        assert len(connections) <= 3
        for _, writer in slow:
            writer.close()
        server.close()


class Transport:
    """One whose end comes later, as asyncio's does."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        self.aborted += 1


async def test_the_bound_holds_for_many_that_come_at_once() -> None:
    connections = Connections(most=3, seconds=60)
    transports = [Transport() for _ in range(100)]
    for transport in transports:
        connections.opened(transport)
    assert len(connections) == 3
    assert [transport.aborted for transport in transports] == [1] * 97 + [0] * 3
    for transport in transports:
        connections.closed(transport)
