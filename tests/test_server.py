"""What the composition root hands to the parts."""

import asyncio
import gc
import json
import logging
import re
import weakref
from collections.abc import Iterator

import aiohttp
import pytest
from pydantic import SecretStr

from gateway import _native
from gateway.breadth.settings import BreadthSettings
from gateway.config import GatewaySettings
from gateway.config.reload import Reload, reloadable
from gateway.engines import provider as local
from gateway.ops.settings import OpsSettings
from gateway.prepare.settings import PrepareSettings
from gateway.rest.settings import RestSettings
from gateway.server import opened_preparer, running_gateway, running_rest_face
from gateway.upstream.settings import CloudSettings

SETTINGS = GatewaySettings(
    prepare=PrepareSettings(memory=123 << 20, max_pixels=2_000_000, workers=1), breadth=BreadthSettings(workers=3)
)


@pytest.fixture(autouse=True)
def _same_memory_limit() -> Iterator[None]:
    limit, _ = _native.memory()
    yield
    _native.set_memory_limit(limit)


async def test_the_process_s_memory_limit_is_the_setting() -> None:
    async with opened_preparer(SETTINGS):
        assert _native.memory()[0] == 123 << 20


async def test_as_many_other_formats_are_held_as_are_decoded_at_once() -> None:
    async with opened_preparer(SETTINGS) as preparer:
        assert preparer._foreign._value == 3


async def test_the_rest_face_has_an_operators_port_of_its_own(caplog) -> None:
    caplog.set_level(logging.INFO)
    settings = GatewaySettings(
        provider="cloud", rest=RestSettings(listen="127.0.0.1:0"), ops=OpsSettings(listen="127.0.0.1:1", rest_listen="0")
    )
    async with running_rest_face(settings, Reload(lambda: settings, settings)), aiohttp.ClientSession() as session:
        (address,) = re.findall(r"operators' port: (http://127.0.0.1:\d+)/", caplog.text)
        pages = {}
        for path in ("/healthz", "/readyz", "/metrics", "/config", "/log-level"):
            async with session.get(address + path) as reply:
                assert reply.status == 200
                pages[path] = await reply.text()
    assert json.loads(pages["/readyz"]) == {
        "ready": True, "draining": False, "degraded": False, "providers": {"local": {"up": True}}
    }  # fmt: skip
    assert "image_gateway_engine_threads" in pages["/metrics"]
    assert json.loads(pages["/config"])["provider"] == "local"


async def test_an_operators_port_that_is_taken_is_told_by_its_setting() -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as taken:
        port = taken.sockets[0].getsockname()[1]
        settings = GatewaySettings(rest=RestSettings(listen="127.0.0.1:0"), ops=OpsSettings(rest_listen=str(port)))
        with pytest.raises(OSError, match=rf"ops.rest_listen: 127.0.0.1:{port} cannot be listened on"):
            async with running_rest_face(settings):
                pass


async def test_every_setting_that_is_said_to_change_while_it_runs_does() -> None:
    nowhere = CloudSettings(endpoint="http://127.0.0.1:9", access_key="AK", secret_key=SecretStr("SK"), project_id="p")
    settings = GatewaySettings(listen="127.0.0.1:0", provider="cloud", cloud=nowhere)
    reload = Reload(lambda: settings, settings)
    async with running_gateway(settings, reload=reload):
        assert reload.paths == reloadable()


async def test_of_a_rest_face_that_ended_no_models_are_left(monkeypatch) -> None:
    """aiohttp keeps the applications of a process that were ever called, and they reach all that they serve."""
    opened: list[weakref.ref[object]] = []

    def noted(engine: type) -> object:
        made = engine()
        opened.append(weakref.ref(made))
        return made

    for engine in (local.TaggingEngine, local.EnhancementEngine):
        monkeypatch.setattr(local, engine.__name__, lambda engine=engine: noted(engine))
    rest = RestSettings(listen="127.0.0.1:0", access_key="AK", secret_key=SecretStr("SK"))
    async with running_rest_face(GatewaySettings(rest=rest)) as address, aiohttp.ClientSession() as session:
        async with session.get(f"http://{address}/openapi.json") as response:
            assert response.status == 200
        assert all(each() is not None for each in opened)
    gc.collect()
    assert [each() for each in opened] == [None, None]
