"""The REST face on loopback, with a use case that tests command."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.media import Box, ImageSource, LocalizedText, ProviderReply, Tag, TaggedImage, TaggingParameters, TagInstance
from gateway.rest.app import build_app
from gateway.rest.settings import RestSettings

CAT = Tag(
    name="cat",
    confidence=91.456,
    type="object",
    localized_name=LocalizedText(zh="猫", en="cat"),
    localized_type=LocalizedText(zh="物体", en="object"),
    instances=(TagInstance(Box(1.5, 2.0, 30.0, 40.25), 88.0),),
)


class CommandedTagging:
    """Keeps what it is asked; answers with a cat, or raises `error`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls: list[tuple[ImageSource, TaggingParameters]] = []

    async def __call__(self, source: ImageSource, parameters: TaggingParameters) -> TaggedImage:
        self.calls.append((source, parameters))
        if self.error is not None:
            raise self.error
        return TaggedImage(reply=ProviderReply("commanded", (CAT,)))


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0  # 2027-01-15T08:00:00Z

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cat() -> Tag:
    return CAT


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tagging() -> CommandedTagging:
    return CommandedTagging()


@pytest.fixture
def settings() -> RestSettings:
    return RestSettings(
        user="ada", password="hunter2", domain="acme", project="north", project_id="p7", access_key="AK", secret_key="SK"
    )


@pytest.fixture
async def client(settings: RestSettings, tagging: CommandedTagging, clock: Clock) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(build_app(settings, tagging, clock))) as opened:
        yield opened
