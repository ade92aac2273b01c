"""Servers on loopback: one that does what bytes can do, one that plays the cloud."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.upstream.settings import CloudSettings

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """Accepts connections and does to each what its `behaviour` says, once the request's head has arrived."""

    def __init__(self) -> None:
        self.behaviour: Behaviour | None = None
        self.heads: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *parts: bytes) -> None:
        """Write `parts` and close the connection."""

        async def behaviour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for part in parts:
                writer.write(part)
                await writer.drain()

        self.behaviour = behaviour

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await self.behaviour(reader, writer)
        finally:
            writer.close()


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    served = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(served.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()


class Cloud:
    """Issues tokens for the password `hunter2` and tags pictures, as its fields say."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.url = ""
        self.sign_ins: list[dict[str, object]] = []
        self.calls: list[web.Request] = []
        self.bodies: list[dict[str, object]] = []
        self.under_way = 0
        self.most_under_way = 0
        self._arrival = asyncio.Condition()
        self.refused_tokens: set[str] = set()
        self.sign_in_status = 201
        self.answer = web.json_response
        self.gate = asyncio.Event()
        self.gate.set()

    async def issue_token(self, request: web.Request) -> web.Response:
        document = await request.json()
        self.sign_ins.append(document)
        if document["auth"]["identity"]["password"]["user"]["password"] != "hunter2" or self.sign_in_status != 201:
            status = self.sign_in_status if self.sign_in_status != 201 else 401
            return web.json_response({"error": {"message": f"no: {document}"}}, status=status)
        token = {
            "issued_at": self._time(0),
            "expires_at": self._time(86_400),
            "project": {"id": "project-7"},
        }
        return web.json_response({"token": token}, status=201, headers={"X-Subject-Token": f"secret-token-{len(self.sign_ins)}"})

    async def tag(self, request: web.Request) -> web.Response:
        self.calls.append(request)
        self.bodies.append(await request.json())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        async with self._arrival:
            self._arrival.notify_all()
        await self.gate.wait()
        self.under_way -= 1
        headers = {"X-Request-Id": f"request-{len(self.calls)}"}
        token = request.headers["X-Auth-Token"]
        if token in self.refused_tokens or "all" in self.refused_tokens:
            return web.json_response({"error_code": "APIG.0301", "error_msg": "expired"}, status=401, headers=headers)
        return self.answer({"result": {"tags": [{"tag": "cat", "confidence": "91.5", "type": "object"}]}}, headers=headers)

    async def until_under_way(self, calls: int) -> None:
        """Wait until so many calls are being answered."""
        async with asyncio.timeout(5), self._arrival:
            await self._arrival.wait_for(lambda: self.under_way == calls)

    def _time(self, after: float) -> str:
        return datetime.fromtimestamp(self.now + after, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    played = Cloud()
    app = web.Application(client_max_size=16 << 20)
    app.router.add_post("/v3/auth/tokens", played.issue_token)
    app.router.add_post("/v2/project-7/image/tagging", played.tag)
    async with TestServer(app) as server:
        played.url = str(server.make_url("")).rstrip("/")
        yield played


@pytest.fixture
def settings(cloud: Cloud) -> CloudSettings:
    return CloudSettings(endpoint=cloud.url, iam_endpoint=cloud.url, user="ada", domain="acme", password="hunter2")
