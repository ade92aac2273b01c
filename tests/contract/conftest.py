"""The providers under contract: the engines of this process, and the cloud's client against the REST face that serves them.

Each is opened once for a module: what a test asks of one leaves nothing that another could see, and models take long to load.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from gateway.config import GatewaySettings
from gateway.engines.provider import LocalProvider
from gateway.engines.settings import LocalSettings
from gateway.media import ImageUri, MediaContent, MediaSource
from gateway.prepare.settings import PrepareSettings
from gateway.provider import Provider
from gateway.rest.settings import RestSettings
from gateway.server import running_rest_face
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import LimitSettings
from gateway.upstream.settings import CloudSettings, DownloadSettings

REST = RestSettings(
    listen="127.0.0.1:0",
    user="someone",
    domain="account",
    project="cn-east-3",
    password=SecretStr("swordfish"),
    access_key="AK",
    secret_key=SecretStr("swordfish2"),
)
BY_PASSWORD = {"user": "someone", "domain": "account", "password": SecretStr("swordfish")}
BY_KEY = {"access_key": "AK", "secret_key": SecretStr("swordfish2")}

UNHURRIED = 600.0
"""Seconds: the engines behind the face share a busy machine with other tests, and that they are slow is no failure here."""

KINDS = {
    "local": None,
    "cloud, token": BY_PASSWORD,
    "cloud, token, forms": BY_PASSWORD | {"enhancement_form": True},
    "cloud, keys": BY_KEY,
    "cloud, keys, forms": BY_KEY | {"enhancement_form": True},
}


@dataclass(frozen=True)
class Subject:
    """A provider, and where it finds the recordings that tests give it."""

    provider: Provider
    music_server: str

    def recording(self, data: bytes, name: str) -> MediaSource:
        """A recording in the form that this provider takes."""
        return ImageUri(f"{self.music_server}/{name}") if self.provider.downloads_recordings else MediaContent(data)


@contextlib.asynccontextmanager
async def local() -> AsyncIterator[Provider]:
    """The engines of this process."""
    async with contextlib.aclosing(LocalProvider(LocalSettings(), max_pixels=PrepareSettings().max_pixels)) as provider:
        yield provider


@contextlib.asynccontextmanager
async def cloud(credentials: dict[str, object]) -> AsyncIterator[Provider]:
    """The client, against a REST face of its own."""
    settings = GatewaySettings(rest=REST, download=DownloadSettings(allow_private=True))
    async with running_rest_face(settings) as address:
        base = f"http://{address}"
        client = CloudSettings(endpoint=base, iam_endpoint=base, timeout=UNHURRIED, **credentials)
        policies = Policies(limit=LimitSettings(queue_time=UNHURRIED))
        async with contextlib.aclosing(CloudProvider(client, policies)) as provider:
            yield provider


def opened(kind: str) -> contextlib.AbstractAsyncContextManager[Provider]:
    """The provider called `kind` in `KINDS`."""
    credentials = KINDS[kind]
    return local() if credentials is None else cloud(credentials)


@pytest.fixture(scope="session")
def tune(photos) -> bytes:
    """A recording of a tune that the shipped catalogue holds."""
    return (photos.parent / "music" / "harbour-lights.mp4").read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def music_server(tune) -> AsyncIterator[str]:
    """Serves `tune`, and at another path something that is no recording."""

    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=tune if request.match_info["name"] == "tune.mp4" else b"no recording at all")

    app = web.Application()
    app.router.add_get("/{name}", serve)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def subject(request, music_server) -> AsyncIterator[Subject]:
    async with opened(request.param) as provider:
        yield Subject(provider, music_server)


@pytest.fixture
def provider(subject) -> Provider:
    return subject.provider
