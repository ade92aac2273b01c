"""What the composition root hands to the parts."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from gateway import _native
from gateway.breadth.settings import BreadthSettings
from gateway.config import GatewaySettings
from gateway.config.reload import Reload, reloadable
from gateway.prepare.settings import PrepareSettings
from gateway.server import opened_preparer, running_gateway
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


async def test_every_setting_that_is_said_to_change_while_it_runs_does() -> None:
    nowhere = CloudSettings(endpoint="http://127.0.0.1:9", access_key="AK", secret_key=SecretStr("SK"), project_id="p")
    settings = GatewaySettings(listen="127.0.0.1:0", provider="cloud", cloud=nowhere)
    reload = Reload(lambda: settings, settings)
    async with running_gateway(settings, reload=reload):
        assert reload.paths == reloadable()
