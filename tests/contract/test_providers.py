"""One suite for every provider: what a use case may expect, whoever recognises."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from gateway.config import GatewaySettings
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, Language, PreparedImage, TaggingParameters
from gateway.rest.settings import RestSettings
from gateway.server import opened_provider, running_rest_face
from gateway.upstream.settings import CloudSettings
from gateway.usecases.provider import Provider

REST = RestSettings(listen="127.0.0.1:0", user="someone", domain="account", project="cn-east-3", password=SecretStr("swordfish"))


@pytest.fixture(params=["local", "cloud"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    if request.param == "local":
        async with opened_provider(GatewaySettings()) as provider:
            yield provider
        return
    async with running_rest_face(GatewaySettings(rest=REST)) as address:
        base = f"http://{address}"
        cloud = CloudSettings(endpoint=base, iam_endpoint=base, user="someone", domain="account", password=SecretStr("swordfish"))
        async with opened_provider(GatewaySettings(provider="cloud", cloud=cloud)) as provider:
            yield provider


async def test_it_says_who_it_is_and_that_it_is_well(provider, request) -> None:
    assert provider.name == request.node.callspec.params["provider"]
    await provider.check()


@pytest.mark.parametrize(("language", "name"), [(Language.ZH, "狗"), (Language.EN, "dog")])
async def test_tags_are_complete(preparer, provider, dog, language, name) -> None:
    reply = await provider.tag(preparer.check(dog), TaggingParameters(language=language, threshold=80))
    tag = next(tag for tag in reply.tags if tag.name == name)
    assert 80 <= tag.confidence <= 100
    assert (tag.localized_name.zh, tag.localized_name.en) == ("狗", "dog")
    assert (tag.type, tag.localized_type.en, tag.localized_type.zh) == ("object", "object", "物体")
    assert [tag.confidence for tag in reply.tags] == sorted((tag.confidence for tag in reply.tags), reverse=True)
    assert reply.provider == provider.name
    assert reply.attempts == 1
    assert reply.work_time > 0


async def test_threshold_and_limit_are_heeded(preparer, provider, dog) -> None:
    everything = await provider.tag(preparer.check(dog), TaggingParameters(threshold=0, limit=150))
    assert len(everything.tags) == 150
    assert len((await provider.tag(preparer.check(dog), TaggingParameters(threshold=0, limit=3))).tags) == 3
    assert (await provider.tag(preparer.check(dog), TaggingParameters(threshold=100))).tags == ()


async def test_many_calls_at_once_are_all_answered(preparer, provider, photos) -> None:
    images = [preparer.check(file.read_bytes()) for file in sorted(photos.glob("*.*")) if file.suffix != ".md"]
    replies = await asyncio.gather(*(provider.tag(image, TaggingParameters(threshold=1)) for image in images * 3))
    first = replies[: len(images)]
    assert all(reply.tags for reply in first)
    assert [reply.tags for reply in replies] == [reply.tags for reply in first] * 3


async def test_damage_within_a_picture_is_the_picture_s_fault(provider, photos) -> None:
    data = (photos / "cat.png").read_bytes()
    broken = data[:20000] + bytes(1000) + data[21000:]
    with pytest.raises(GatewayError) as caught:
        await provider.tag(PreparedImage(broken, ImageFacts("png", 451, 300, 1, len(broken))), TaggingParameters())
    assert caught.value.reason is Reason.IMAGE_DAMAGED


async def test_both_give_the_same_tags(preparer, dog) -> None:
    replies = []
    for kind in ("local", "cloud"):
        async with running_rest_face(GatewaySettings(rest=REST)) as address:
            base = f"http://{address}"
            cloud = CloudSettings(
                endpoint=base, iam_endpoint=base, user="someone", domain="account", password=SecretStr("swordfish")
            )
            async with opened_provider(GatewaySettings(provider=kind, cloud=cloud)) as provider:
                replies.append(await provider.tag(preparer.check(dog), TaggingParameters()))
    local, cloud_reply = ([(tag.name, round(tag.confidence, 2)) for tag in reply.tags] for reply in replies)
    assert local == cloud_reply
