"""Opening the providers that the settings name, and what stands before them."""

import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from gateway import __version__
from gateway.cache.cached_provider import CachedProvider
from gateway.cache.memory import MemoryStore
from gateway.cache.metrics import CacheMetrics
from gateway.cache.redis import RedisAnswers
from gateway.cache.store import AnswerStore
from gateway.config import ConfigError, GatewaySettings
from gateway.config.reload import Reload, reloadable
from gateway.engines.provider import LocalProvider
from gateway.errors import Reason
from gateway.provider import Provider
from gateway.redis_store import RedisStore
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.factory import key_source
from gateway.upstream.credentials.redis_token_store import RedisTokenStore
from gateway.upstream.credentials.token_store import account_of
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.spending import Spending
from gateway.upstream.transport import Transport
from gateway.usecases.chain import Chain

_POLICIES: Final = reloadable("retry", "limit", "breaker", "hedge")
_MEMORY: Final = reloadable("cache")


@contextlib.asynccontextmanager
async def opened_chain(
    settings: GatewaySettings,
    registry: CollectorRegistry,
    spending: Spending | None = None,
    reload: Reload | None = None,
) -> AsyncIterator[Chain]:
    """The providers that the settings name, in their order, each behind the cache. Metrics go to `registry`. `spending`: what
    calls to the cloud may cost, if that is bounded.

    `reload`: who tells of settings that change meanwhile. Raises `ConfigError` if one lacks a setting.
    """
    taken_over = Counter(
        "image_gateway_taken_over",
        "Calls that another provider took over, by the one that failed and why.",
        ["provider", "reason"],
        registry=registry,
    )

    def count(provider: Provider, reason: Reason) -> None:
        taken_over.labels(provider.name, reason.value).inc()

    async with contextlib.AsyncExitStack() as opened:
        redis = await opened.enter_async_context(_opened_redis(settings))
        metrics = CacheMetrics(registry)
        store = _answer_store(settings, redis, metrics)
        providers: list[Provider] = []
        for name in settings.provider.split(","):
            provider = _provider(settings, name, registry, redis, spending)
            if reload is not None and isinstance(provider, CloudProvider):
                reload.register(_POLICIES, partial(_adopt_policies, provider))
            if store is not None:
                origin = settings.cloud.endpoints().image if name == "cloud" else _engines(settings)
                provider = CachedProvider(provider, settings.cache, store, origin=origin, observer=metrics.answered)
                if reload is not None:
                    reload.register(_MEMORY, partial(_adopt_cache, provider, store))
            opened.push_async_callback(provider.aclose)
            providers.append(provider)
        chain = Chain(providers, fall_back_on=settings.fall_back_reasons(), taken_over=count)
        if reload is not None:
            reload.register(["fall_back_on"], partial(_adopt_fall_back, chain))
        yield chain


@contextlib.asynccontextmanager
async def opened_cloud(settings: GatewaySettings) -> AsyncIterator[CloudProvider]:
    """The cloud alone, without the cache. Raises `ConfigError` if a setting is missing."""
    async with _opened_redis(settings) as redis, contextlib.aclosing(_cloud(settings, CollectorRegistry(), redis, None)) as cloud:
        yield cloud


async def access_key(settings: GatewaySettings) -> AccessKey:
    """The access key that the settings name, as it is now. Raises `ConfigError` if they name none, `GatewayError` if it cannot be
    had."""
    cloud = settings.cloud
    if cloud.chosen_auth == "password":
        raise ConfigError(["settings of cloud: access_key, or another auth than 'password': needed to sign URLs"])
    try:
        cloud.check_complete()
    except ValueError as error:
        raise ConfigError([f"settings of cloud: {error}"]) from error
    transport = Transport(connect_timeout=cloud.connect_timeout, timeout=cloud.timeout, pool_size=1)
    async with contextlib.aclosing(transport):
        return await key_source(cloud, transport, time.time).fetch()


def _policies(settings: GatewaySettings) -> Policies:
    return Policies(settings.retry, settings.limit, settings.breaker, settings.hedge)


def _adopt_policies(cloud: CloudProvider, settings: GatewaySettings) -> None:
    cloud.client.adopt(_policies(settings))


def _adopt_cache(provider: CachedProvider, store: AnswerStore, settings: GatewaySettings) -> None:
    provider.adopt(settings.cache)
    match store:
        case MemoryStore():
            store.resize(settings.cache.max_bytes)
        case RedisAnswers():
            store.max_entry_bytes = settings.cache.max_entry_bytes


def _adopt_fall_back(chain: Chain, settings: GatewaySettings) -> None:
    chain.fall_back_on = settings.fall_back_reasons()


def _engines(settings: GatewaySettings) -> str:
    """What shapes the answers of the engines: their release, and the catalogue of music."""
    index = settings.local.music_index
    if index is None:
        return __version__
    facts = index.stat()  # it has been opened just before
    return f"{__version__} {facts.st_size} {facts.st_mtime_ns}"


def _provider(
    settings: GatewaySettings, name: str, registry: CollectorRegistry, redis: RedisStore | None, spending: Spending | None
) -> Provider:
    if name == "cloud":
        return _cloud(settings, registry, redis, spending)
    try:
        return LocalProvider(settings.local, max_pixels=settings.prepare.max_pixels, registry=registry)
    except ValueError as error:
        raise ConfigError([f"settings of local: {error}"]) from error


def _cloud(
    settings: GatewaySettings, registry: CollectorRegistry, redis: RedisStore | None, spending: Spending | None
) -> CloudProvider:
    policies = _policies(settings)
    try:
        store = RedisTokenStore(redis, account_of(settings.cloud), time.time) if redis and settings.redis.share_token else None
        return CloudProvider(settings.cloud, policies, registry, token_store=store, spending=spending)
    except ValueError as error:
        raise ConfigError([f"settings of cloud: {error}"]) from error


@contextlib.asynccontextmanager
async def _opened_redis(settings: GatewaySettings) -> AsyncIterator[RedisStore | None]:
    if not settings.providers_need_redis:
        yield None
        return
    try:
        redis = RedisStore(settings.redis)
    except ValueError as error:
        raise ConfigError([f"settings of redis: {error}"]) from error
    try:
        yield redis
    finally:
        await redis.aclose()


def _answer_store(settings: GatewaySettings, redis: RedisStore | None, metrics: CacheMetrics) -> AnswerStore | None:
    if not settings.cache.enabled:
        return None
    if settings.cache.store == "redis" and redis is not None:
        return RedisAnswers(redis, settings.cache.max_entry_bytes)
    store = MemoryStore(settings.cache.max_bytes, time.monotonic)
    metrics.show(store)
    return store
