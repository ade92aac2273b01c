"""A body that never ends, sent through a real socket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.rest.body_deadline import body_deadline
from gateway.rest.refusals import answer_always


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    app = web.Application(middlewares=[answer_always, body_deadline(0.05)])
    app.router.add_post("/v1.0/echo", echo)
    app.router.add_post("/v3/auth/tokens", echo)
    async with TestClient(TestServer(app)) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/v1.0/echo", "/v3/auth/tokens"])
async def test_a_body_that_does_not_end_is_answered(client, path) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n12345".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"X-Request-Id: " in head
    writer.close()


async def test_a_body_that_ends_in_time_is_read_whatever_the_work_takes(client) -> None:
    async def slow(request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(0.1)  # longer than the deadline, which is the body's alone
        return web.Response(body=body)

    app = web.Application(middlewares=[answer_always, body_deadline(0.05)])
    app.router.add_post("/", slow)
    async with TestClient(TestServer(app)) as opened, opened.post("/", data=b"whole") as response:
        assert (response.status, await response.read()) == (200, b"whole")
