import asyncio

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.rest.admission import admission
from gateway.rest.refusals import answer_always


async def test_no_more_are_let_in_at_a_time_and_a_place_is_free_again_whatever_happened() -> None:
    go_on, entered = asyncio.Event(), asyncio.Semaphore(0)

    async def held(request: web.Request) -> web.Response:
        entered.release()
        await go_on.wait()
        if request.query_string == "fail":
            raise RuntimeError
        return web.Response()

    app = web.Application(middlewares=[answer_always, admission(2)])
    app.router.add_post("/", held)
    async with TestClient(TestServer(app)) as client:
        first, second = asyncio.create_task(client.post("/?fail")), asyncio.create_task(client.post("/"))
        await entered.acquire()
        await entered.acquire()
        async with client.post("/", data=b"never read") as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
            assert (await refused.json())["error_code"] == "APIG.0308"
        go_on.set()
        assert {(await first).status, (await second).status} == {200, 400}
        async with client.post("/") as let_in, client.post("/") as as_well:
            assert (let_in.status, as_well.status) == (200, 200)
