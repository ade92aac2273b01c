"""Single calls and streams go through the same policies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.call import CacheUse
from gateway.client import ImageContent, TaggingClient
from gateway.config import GatewaySettings
from gateway.errors import GatewayError, Reason
from gateway.media import CacheState, TaggedImage
from gateway.rpc.server import RpcServer
from gateway.rpc.settings import RpcSettings
from gateway.server import opened_use_cases
from gateway.upstream.resilience.settings import BreakerSettings, LimitSettings, RetrySettings
from tests.gates import open_gate


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def shown(registry) -> Callable[..., float | None]:
    return lambda name, **labels: registry.get_sample_value(f"image_gateway_{name}", labels)


@pytest.fixture
def opened(settings, registry):
    """A gateway before the cloud, with a client of it."""

    @contextlib.asynccontextmanager
    async def opened(**policies: object) -> AsyncIterator[TaggingClient]:
        gateway = GatewaySettings(provider="cloud", cloud=settings, **policies)
        async with opened_use_cases(gateway, registry=registry) as use_cases:
            server = RpcServer(RpcSettings(), use_cases, open_gate())
            address = await server.start("127.0.0.1:0")
            try:
                async with TaggingClient(address) as client:
                    yield client
            finally:
                await server.drain()

    return opened


async def streamed(
    client: TaggingClient, dog: bytes, items: int, cache: CacheUse = CacheUse.BYPASS
) -> list[TaggedImage | GatewayError]:
    async def load() -> ImageContent:
        return ImageContent(dog)

    return [each.outcome async for each in client.tag_stream([(str(n), load) for n in range(items)], cache=cache, timeout=30)]


async def test_they_wait_for_the_same_places(cloud, opened, shown, dog) -> None:
    async with opened(limit=LimitSettings(concurrency=1)) as client:
        cloud.gate.clear()
        stream = asyncio.create_task(streamed(client, dog, 3))
        calls = [asyncio.create_task(client.tag(ImageContent(dog), cache=CacheUse.BYPASS, timeout=30)) for _ in range(2)]
        await cloud.until_under_way(1)
        async with asyncio.timeout(10):
            while shown("cloud_waiting") != 4:  # noqa: ASYNC110  # nothing tells of a call that begins to wait
                await asyncio.sleep(0.01)
        assert (shown("cloud_in_flight"), shown("cloud_limit")) == (1, 1)
        cloud.gate.set()
        outcomes = [*await stream, *await asyncio.gather(*calls)]
    assert all(isinstance(outcome, TaggedImage) for outcome in outcomes)
    assert (len(cloud.calls), cloud.most_under_way) == (5, 1)


async def test_what_fails_for_single_calls_is_suspended_for_streams(cloud, opened, shown, dog) -> None:
    cloud.answer = lambda _, headers: web.json_response({}, status=500, headers=headers)
    async with opened(breaker=BreakerSettings(failures=3), retry=RetrySettings(attempts=1)) as client:
        for _ in range(3):
            with pytest.raises(GatewayError) as caught:
                await client.tag(ImageContent(dog), cache=CacheUse.BYPASS, timeout=30)
            assert caught.value.reason is Reason.UPSTREAM_INTERNAL
        assert [outcome.reason for outcome in await streamed(client, dog, 2)] == [Reason.UPSTREAM_SUSPENDED] * 2
    assert len(cloud.calls) == 3
    assert shown("cloud_breaker_state", operation="image-tagging") == 2
    results = {"UPSTREAM_INTERNAL": 3, "UPSTREAM_SUSPENDED": 2}
    assert {name: shown("cloud_calls_total", operation="image-tagging", tenant="", result=name) for name in results} == results


async def test_they_draw_on_the_same_retry_budget(cloud, opened, shown, dog) -> None:
    cloud.answer = lambda _, headers: web.json_response({}, status=500, headers=headers)
    retry = RetrySettings(attempts=2, base_delay=0.001, budget_share=0.0, budget_reserve=1)
    async with opened(breaker=BreakerSettings(enabled=False), retry=retry) as client:
        with pytest.raises(GatewayError) as caught:
            await client.tag(ImageContent(dog), cache=CacheUse.BYPASS, timeout=30)
        assert caught.value.upstream.attempts == 2
        assert [outcome.upstream.attempts for outcome in await streamed(client, dog, 1)] == [1]
    assert (shown("cloud_retry_budget"), shown("cloud_retry_budget_refusals_total")) == (0, 1)


async def test_what_one_was_answered_serves_the_other(cloud, opened, shown, dog) -> None:
    async with opened() as client:
        first = await client.tag(ImageContent(dog), timeout=30)
        (second,) = await streamed(client, dog, 1, CacheUse.USE)
    assert (first.reply.cache, second.reply.cache) == (CacheState.MISS, CacheState.HIT)
    assert (first.reply.attempts, second.reply.attempts) == (1, 0)
    assert second.reply.request_ids == first.reply.request_ids == ("request-1",)
    assert shown("cache_answers_total", operation="tagging", state="hit") == 1
