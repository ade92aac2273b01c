import pytest
from aiohttp import web

from gateway.errors import GatewayError, Reason
from gateway.upstream.document import MAX_BYTES, fetch_document


@pytest.fixture
async def url():
    async def serve(request: web.Request) -> web.Response:
        match request.match_info["what"]:
            case "keys":
                return web.Response(body=b"{}")
            case "moved":
                raise web.HTTPFound("/keys")
            case "long":
                return web.Response(body=bytes(MAX_BYTES + 1))
            case _:
                raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{what}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_document_is_fetched(url) -> None:
    assert await fetch_document(f"{url}/keys") == b"{}"


@pytest.mark.parametrize("what", ["moved", "long", "none"])
async def test_what_is_no_document_is_not(url, what) -> None:
    with pytest.raises(GatewayError) as caught:
        await fetch_document(f"{url}/{what}?secret=hunter2")
    assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE
    assert "hunter2" not in str(caught.value)


async def test_nobody_there() -> None:
    with pytest.raises(GatewayError, match="ClientConnectorError"):
        await fetch_document("http://127.0.0.1:1/keys")
