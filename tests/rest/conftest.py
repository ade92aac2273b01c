"""The REST face on loopback, with use cases that tests command."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import pytest
from aiohttp.test_utils import TestClient, TestServer

from gateway.media import (
    Box,
    EnhancedImage,
    EnhancementReply,
    ImageFacts,
    LocalizedText,
    MusicMatch,
    MusicReply,
    RecognizedMusic,
    Tag,
    TaggedImage,
    TaggingReply,
    TagInstance,
)
from gateway.rest.app import build_app
from gateway.rest.settings import RestSettings
from gateway.usecases.catalogue import UseCases

Reply = TypeVar("Reply")

CAT = Tag(
    name="cat",
    confidence=91.456,
    type="object",
    localized_name=LocalizedText(zh="猫", en="cat"),
    localized_type=LocalizedText(zh="物体", en="object"),
    instances=(TagInstance(Box(1.5, 2.0, 30.0, 40.25), 88.0),),
)

FACTS = ImageFacts(format="png", width=90, height=60, orientation=1, size_bytes=4)


class Commanded(Generic[Reply]):
    """A use case that keeps what it is asked, and answers with `reply`, or raises `error`."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.error: BaseException | None = None
        self.calls: list[tuple[object, ...]] = []

    async def __call__(self, *asked: object) -> Reply:
        self.calls.append(asked)
        if self.error is not None:
            raise self.error
        return self.reply


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
def tagging() -> Commanded[TaggedImage]:
    return Commanded(TaggedImage(reply=TaggingReply("commanded", (CAT,))))


@pytest.fixture
def enhancing() -> Commanded[EnhancedImage]:
    """Answers with the four bytes of no picture, which are said to be a PNG."""
    return Commanded(EnhancedImage(EnhancementReply("commanded", b"\x89\xff\x00!", FACTS), FACTS))


@pytest.fixture
def music() -> Commanded[RecognizedMusic]:
    return Commanded(RecognizedMusic(MusicReply("commanded", MusicMatch("harbour lights", 97.0, 3.5))))


@pytest.fixture
def use_cases(tagging, enhancing, music) -> UseCases:
    return UseCases(tagging, enhancing, music, preprocess=None, chain=None)


@pytest.fixture
def settings() -> RestSettings:
    return RestSettings(
        user="ada", password="hunter2", domain="acme", project="north", project_id="p7", access_key="AK", secret_key="SK"
    )


@pytest.fixture
async def client(settings: RestSettings, use_cases: UseCases, clock: Clock) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(build_app(settings, use_cases, clock))) as opened:
        yield opened


@pytest.fixture
async def headers(client) -> dict[str, str]:
    """The headers of a caller who has signed in."""
    user = {"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    document = {"auth": {"identity": identity, "scope": {"project": {"name": "north"}}}}
    async with client.post("/v3/auth/tokens", json=document) as response:
        return {"X-Auth-Token": response.headers["X-Subject-Token"]}
