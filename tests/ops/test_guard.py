"""Who gets the pages that tell of settings."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.ops.app import build_app
from gateway.ops.guard import Guard
from gateway.ops.pages import Pages
from gateway.ops.settings import OpsSettings


async def statuses(settings: OpsSettings, **headers: str) -> set[int]:
    async def nothing(*_: object) -> dict[str, object]:
        return {}

    pages = Pages(nothing, nothing, nothing, dict, nothing)
    async with TestClient(TestServer(build_app(pages, Guard(settings)))) as client:
        return {
            (await client.get("/config", headers=headers)).status,
            (await client.get("/log-level", headers=headers)).status,
            (await client.put("/log-level?level=debug", headers=headers)).status,
        }


@pytest.mark.parametrize("listen", ["127.0.0.1:9100", "[::1]:9100", "localhost:9100", "9100", 9100])
async def test_everybody_on_loopback(listen) -> None:
    assert await statuses(OpsSettings(listen=listen)) == {200}


async def test_not_under_names_that_others_may_lead_here() -> None:
    assert await statuses(OpsSettings(listen="127.0.0.1:9100"), Host="evil.example") == {403}


@pytest.mark.parametrize("listen", ["0.0.0.0:9100", "[::]:9100", "10.1.2.3:9100", "gateway.internal:9100"])
async def test_nobody_elsewhere_unless_that_is_said(listen) -> None:
    assert await statuses(OpsSettings(listen=listen)) == {403}
    assert await statuses(OpsSettings(listen=listen, allow_all=True)) == {200}


@pytest.mark.parametrize("listen", ["127.0.0.1:9100", "0.0.0.0:9100"])
async def test_by_token_where_there_is_one(tmp_path, listen) -> None:
    file = tmp_path / "token"
    file.write_text("sesame\n")
    settings = OpsSettings(listen=listen, token_file=file, allow_all=True)
    assert await statuses(settings) == {401}
    assert await statuses(settings, Authorization="Bearer sesam") == {401}
    assert await statuses(settings, Authorization="Basic sesame") == {401}
    assert await statuses(settings, Authorization="bearer sesame") == {200}
    file.write_text("another\n")  # read anew each time
    assert await statuses(settings, Authorization="Bearer sesame") == {401}
    file.write_text("")
    assert await statuses(settings, Authorization="Bearer ") == {401}
    file.unlink()
    assert await statuses(settings, Authorization="Bearer sesame") == {403}
