"""What is put before the providers, and what they get of the settings."""

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.cache.cached_provider import CachedProvider
from gateway.cache.settings import CacheSettings
from gateway.call import CacheUse, Call
from gateway.config import ConfigError, GatewaySettings
from gateway.errors import GatewayError, Reason
from gateway.media import CacheState, ImageContent, TaggingParameters
from gateway.prepare.settings import PrepareSettings
from gateway.providers import opened_chain, opened_cloud
from gateway.redis_store import RedisSettings
from gateway.server import opened_use_cases
from gateway.upstream.resilience.settings import RetrySettings
from gateway.upstream.settings import CloudSettings

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens
CLOUD = CloudSettings(endpoint=NOBODY, iam_endpoint=NOBODY, access_key="AK", secret_key=SecretStr("SK"), project_id="p")


async def asked(settings: GatewaySettings) -> tuple[object, ...]:
    async with opened_chain(settings, CollectorRegistry()) as chain:
        return chain._providers


async def test_the_engines_are_the_default_behind_the_cache() -> None:
    settings = GatewaySettings(prepare=PrepareSettings(max_pixels=2_000_000))
    (provider,) = await asked(settings)
    assert isinstance(provider, CachedProvider)
    assert (provider.name, provider.decodes_here) == ("local", True)
    assert provider._inner._max_pixels == 2_000_000
    (bare,) = await asked(settings.model_copy(update={"cache": CacheSettings(enabled=False)}))
    assert not isinstance(bare, CachedProvider)


async def test_several_come_in_their_order() -> None:
    settings = GatewaySettings(provider="cloud,local", cloud=CLOUD)
    assert [provider.name for provider in await asked(settings)] == ["cloud", "local"]


async def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="settings of cloud: user, domain"):
        await asked(GatewaySettings(provider="cloud"))
    with pytest.raises(ConfigError, match="settings of redis: url"):
        await asked(GatewaySettings(cache=CacheSettings(store="redis")))
    with pytest.raises(ConfigError, match="settings of local: music_index"):
        await asked(GatewaySettings.model_validate({"local": {"music_index": "/nowhere"}}))


async def test_the_cloud_alone_has_no_cache() -> None:
    async with opened_cloud(GatewaySettings(cloud=CLOUD)) as cloud:
        with pytest.raises(GatewayError) as caught:
            await cloud.check()
    assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE


async def test_a_token_is_shared_over_the_redis_if_that_is_wanted() -> None:
    cloud = CloudSettings(endpoint=NOBODY, iam_endpoint=NOBODY, user="u", domain="d", password=SecretStr("x"))
    redis = RedisSettings(url=SecretStr("redis://127.0.0.1:9"), share_token=True)
    async with opened_cloud(GatewaySettings(cloud=cloud, redis=redis)) as provider:
        assert type(provider._credential._shared._store).__name__ == "RedisTokenStore"


async def test_the_engines_take_over_when_the_cloud_is_gone_and_the_answer_is_remembered(dog) -> None:
    settings = GatewaySettings(provider="cloud,local", cloud=CLOUD, retry=RetrySettings(attempts=1))
    registry = CollectorRegistry()
    async with opened_use_cases(settings, registry=registry) as use_cases:
        first = await use_cases.tag_image(ImageContent(dog), TaggingParameters(threshold=80))
        second = await use_cases.tag_image(ImageContent(dog), TaggingParameters(threshold=90))
        anew = await use_cases.tag_image(ImageContent(dog), TaggingParameters(threshold=90), Call(cache=CacheUse.BYPASS))
    assert [one.reply.provider for one in (first, second, anew)] == ["local"] * 3
    assert [one.reply.cache for one in (first, second, anew)] == [CacheState.MISS, CacheState.HIT, CacheState.NONE]
    assert second.reply.tags == anew.reply.tags
    labels = {"provider": "cloud", "reason": "UPSTREAM_UNAVAILABLE"}
    assert registry.get_sample_value("image_gateway_taken_over_total", labels) == 3
    answers = {"operation": "tagging", "state": "hit"}
    assert registry.get_sample_value("image_gateway_cache_answers_total", answers) == 1
