"""Every way to misbehave, and what callers of the provider see: result or reason, requests that were made, and the bill."""

import asyncio
import contextlib
import time
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, PreparedImage, TaggingParameters
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import BreakerSettings, LimitSettings, RetrySettings
from gateway.upstream.settings import CloudSettings
from tests.upstream.misbehaving.fault import Fault
from tests.upstream.misbehaving.plan import Always, Script
from tests.upstream.misbehaving.server import MisbehavingCloud
from tests.upstream.misbehaving.service import ACCESS_KEY, PASSWORD, PROJECT, SECRET_KEY, Service, bitmap

ATTEMPTS = 3
ONCE, AGAIN, ANEW, STALE = 1, ATTEMPTS, 2, 2
"""Requests for one call, if all of them are struck: never tried again; as often as allowed; once more with a new token; once more
since the connection, on which the token came, looks like one that was closed while it was kept."""

EXPECTED = {
    Fault.NONE: (None, ONCE),
    Fault.RESET_BEFORE_BODY: (Reason.UPSTREAM_REPLY_LOST, STALE),
    Fault.RESET_AFTER_BODY: (Reason.UPSTREAM_REPLY_LOST, STALE),
    Fault.CLOSE_AFTER_BODY: (Reason.UPSTREAM_REPLY_LOST, STALE),
    Fault.RESET_IN_HEAD: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.RESET_IN_REPLY: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.CLOSE_IN_REPLY: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.RESET_AFTER_WORK: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.CLOSE_AFTER_WORK: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.IDLE_CLOSED: (None, ONCE),
    Fault.CLOSED_ON_REUSE: (None, ONCE),
    Fault.RESET_ON_REUSE: (None, ONCE),
    Fault.HALF_OPEN: (Reason.UPSTREAM_TIMEOUT, ONCE),
    Fault.SLOW_HEAD: (Reason.UPSTREAM_TIMEOUT, ONCE),
    Fault.SLOW_BODY: (Reason.UPSTREAM_TIMEOUT, ONCE),
    Fault.STUCK_BODY: (Reason.UPSTREAM_TIMEOUT, ONCE),
    Fault.TRUNCATED_JSON: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.LENGTH_TOO_LARGE: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.LENGTH_TOO_SMALL: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.SECOND_REPLY: (None, ONCE),
    Fault.LATE_SECOND_REPLY: (None, ONCE),
    Fault.WRONG_CHUNK: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.WRONG_ENCODING: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.BOMB: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.ENDLESS: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.NOT_HTTP: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.HUGE_HEADER: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.CONTINUE_TWICE: (None, ONCE),
    Fault.CONTINUE_ONLY: (Reason.UPSTREAM_REPLY_LOST, ONCE),
    Fault.EARLY_REFUSAL: (Reason.IMAGE_TOO_LARGE, ONCE),
    Fault.THROTTLED: (Reason.UPSTREAM_THROTTLED, AGAIN),
    Fault.THROTTLED_BY_CODE: (Reason.UPSTREAM_THROTTLED, AGAIN),
    Fault.INTERNAL_BY_CODE: (Reason.UPSTREAM_INTERNAL, AGAIN),
    Fault.FAILED: (Reason.UPSTREAM_INTERNAL, AGAIN),
    Fault.UNAVAILABLE: (Reason.UPSTREAM_UNAVAILABLE, AGAIN),
    Fault.BAD_GATEWAY: (Reason.UPSTREAM_UNAVAILABLE, AGAIN),
    Fault.GATEWAY_TIMEOUT: (Reason.UPSTREAM_TIMEOUT, AGAIN),
    Fault.ERROR_IN_SUCCESS: (Reason.IMAGE_DAMAGED, ONCE),
    Fault.REFUSED: (Reason.IMAGE_DAMAGED, ONCE),
    Fault.HTML_IN_SUCCESS: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.EMPTY_SUCCESS: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.REDIRECT: (Reason.UPSTREAM_BAD_RESPONSE, ONCE),
    Fault.TOKEN_REVOKED: (Reason.UPSTREAM_AUTHENTICATION_FAILED, ANEW),
    Fault.TOKEN_ABNORMAL: (Reason.UPSTREAM_AUTHENTICATION_FAILED, ANEW),
}
"""All but those that strike at the connection, which would keep the token away too, and `THROTTLED_RETRY_AFTER`."""

CURABLE = sorted(fault for fault, (_, requests) in EXPECTED.items() if requests != ONCE)
LOST = sorted(
    fault
    for fault, (reason, requests) in EXPECTED.items()
    if requests == ONCE and reason is not None and reason not in {Reason.IMAGE_DAMAGED, Reason.IMAGE_TOO_LARGE}
)
"""Those whose replies may have been billed."""


@pytest.fixture
async def cloud():
    played = MisbehavingCloud()
    async with played.listening():
        yield played


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def by_token(cloud: MisbehavingCloud, timeout: float = 10) -> CloudSettings:
    return CloudSettings(
        endpoint=cloud.url, iam_endpoint=cloud.url, user="ada", domain="acme", password=PASSWORD, timeout=timeout
    )


def by_key(cloud: MisbehavingCloud, project_id: str | None = None) -> CloudSettings:
    return CloudSettings(
        endpoint=cloud.url, iam_endpoint=cloud.url, access_key=ACCESS_KEY, secret_key=SECRET_KEY, project_id=project_id
    )


def policies(*, lost_replies: bool = False, budget_reserve: int = 10) -> Policies:
    """Quick ones, without a breaker."""
    retry = RetrySettings(
        attempts=ATTEMPTS, base_delay=0.001, max_delay=2, lost_replies=lost_replies, budget_reserve=budget_reserve
    )
    return Policies(retry, LimitSettings(), BreakerSettings(enabled=False))


def picture(marker: str = "a") -> PreparedImage:
    data = bitmap(marker)
    return PreparedImage(data, ImageFacts("bmp", 16, 16, 1, len(data)))


async def made(provider: CloudProvider, marker: str = "a", call: Call | None = None) -> tuple[Reason | None, int]:
    """Make a call. Returns why it failed, if it did, and its attempts; an answer must be the one to it."""
    try:
        reply = await provider.tag(picture(marker), TaggingParameters(), call or Call())
    except GatewayError as error:
        return error.reason, error.upstream.attempts
    assert [tag.name for tag in reply.tags] == [marker]
    return None, reply.attempts


def timeout_for(fault: Fault) -> float:
    return 0.1 if EXPECTED[fault][0] is Reason.UPSTREAM_TIMEOUT and fault is not Fault.GATEWAY_TIMEOUT else 10


def bill(registry: CollectorRegistry) -> Counter[str]:
    samples = (sample for family in registry.collect() for sample in family.samples)
    counts = Counter[str]()
    for sample in samples:
        if sample.name == "image_gateway_cloud_attempts_total":
            counts[sample.labels["billed"]] += int(sample.value)
    return counts


@pytest.mark.parametrize("fault", EXPECTED)
async def test_a_fault_that_does_not_pass(cloud, registry, fault) -> None:
    cloud.plan = Always(fault)
    settings = by_token(cloud, timeout_for(fault))
    async with contextlib.aclosing(CloudProvider(settings, policies(), registry)) as provider:
        assert await made(provider) == EXPECTED[fault]
    assert cloud.books.faults[fault] == (fault is not Fault.NONE) * EXPECTED[fault][1]
    assert cloud.books.stray == []
    counted = bill(registry)
    assert counted.total() == EXPECTED[fault][1]
    assert counted["yes"] <= cloud.books.billed.total() <= counted["yes"] + counted["maybe"]


@pytest.mark.parametrize("fault", CURABLE)
async def test_a_fault_that_passes_is_not_seen(cloud, fault) -> None:
    cloud.plan = Script(fault)
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies())) as provider:
        assert await made(provider) == (None, 2)
    assert cloud.books.answered["a"] == 1


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_reply_is_asked_for_again_only_if_that_is_wanted(cloud, fault) -> None:
    cloud.plan = Script(fault)
    settings = by_token(cloud, timeout_for(fault))
    async with contextlib.aclosing(CloudProvider(settings, policies(lost_replies=True))) as provider:
        assert await made(provider) == (None, 2)
    assert cloud.books.answered["a"] == 1


@pytest.mark.parametrize("is_reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_WORK, Fault.CLOSE_AFTER_WORK])
async def test_work_without_a_reply_is_not_paid_twice(cloud, registry, fault, is_reused) -> None:
    cloud.plan = Always(fault)
    settings = by_token(cloud) if is_reused else by_key(cloud, project_id=PROJECT)
    async with contextlib.aclosing(CloudProvider(settings, policies(), registry)) as provider:
        assert await made(provider) == (Reason.UPSTREAM_REPLY_LOST, 1)
    assert (cloud.books.connections, cloud.books.sign_ins) == (1, int(is_reused))
    assert cloud.books.billed["a"] == 1
    assert bill(registry) == {"maybe": 1}


async def test_an_endpoint_that_is_no_url_is_asked_once_and_suspends_nothing(cloud, registry) -> None:
    settings = by_token(cloud).model_copy(update={"endpoint": "http://localhost:99999"})
    strict = policies()._replace(breaker=BreakerSettings(failures=1))
    async with contextlib.aclosing(CloudProvider(settings, strict, registry)) as provider:
        assert [await made(provider) for _ in range(2)] == [(Reason.UPSTREAM_NOT_FOUND, 1)] * 2
    assert bill(registry) == {"no": 2}


async def test_a_pause_that_the_service_asks_for_is_kept(cloud) -> None:
    cloud.plan = Script(Fault.THROTTLED_RETRY_AFTER)
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies())) as provider:
        started_at = time.monotonic()
        assert await made(provider) == (None, 2)
        assert time.monotonic() - started_at >= 1


@pytest.mark.parametrize("fault", [Fault.CLOSED_ON_REUSE, Fault.RESET_ON_REUSE])
async def test_no_call_fails_because_kept_connections_were_closed(cloud, fault) -> None:
    """Not even if there are more of them than a call has attempts."""
    cloud.plan = Always(fault)
    cloud.gate.clear()
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies())) as provider:
        first = [asyncio.create_task(made(provider, str(number))) for number in range(6)]
        await cloud.until(lambda books: books.most_under_way == 6)
        cloud.gate.set()
        assert set(await asyncio.gather(*first)) == {(None, 1)}
        cloud.plan = Script()
        assert await made(provider, "last") == (None, 2)
    assert cloud.books.received["last"] == 1


async def test_an_outage_is_not_multiplied(cloud) -> None:
    cloud.plan = Always(Fault.FAILED)
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies(budget_reserve=5))) as provider:
        for number in range(100):
            assert (await made(provider, str(number)))[0] is Reason.UPSTREAM_INTERNAL
    assert 115 <= cloud.books.received.total() <= 125


async def test_a_breaker_spares_the_cloud(cloud) -> None:
    cloud.plan = Always(Fault.FAILED)
    strict = policies()._replace(breaker=BreakerSettings(failures=5))
    async with contextlib.aclosing(CloudProvider(by_token(cloud), strict)) as provider:
        reasons = Counter([(await made(provider, str(number)))[0] for number in range(50)])
    assert cloud.books.received.total() == 5
    assert reasons[Reason.UPSTREAM_SUSPENDED] >= 47


async def test_many_calls_whose_token_is_revoked_share_a_new_one(cloud) -> None:
    cloud.gate.clear()
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies())) as provider:
        cloud.plan = Script(*[Fault.TOKEN_REVOKED] * 8)
        calls = [asyncio.create_task(made(provider, str(number))) for number in range(8)]
        await cloud.until(lambda books: books.most_under_way == 8)
        cloud.gate.set()
        assert set(await asyncio.gather(*calls)) == {(None, 2)}
    assert cloud.books.sign_ins == 2


@pytest.mark.parametrize("skew", [-3600, 3600])
async def test_a_clock_that_is_wrong_is_found_out_once(skew) -> None:
    cloud = MisbehavingCloud(service=Service(lambda: time.time() + skew))
    async with cloud.listening(), contextlib.aclosing(CloudProvider(by_key(cloud), policies())) as provider:
        await provider.check()
        assert [await made(provider, str(number)) for number in range(3)] == [(None, 1)] * 3


async def test_a_deadline_ends_a_call_that_nobody_answers(cloud) -> None:
    async with contextlib.aclosing(CloudProvider(by_token(cloud), policies())) as provider:
        await made(provider, "sign-in")
        cloud.plan = Script(Fault.HALF_OPEN)
        assert await made(provider, "a", Call(deadline=time.monotonic() + 0.1)) == (Reason.DEADLINE_EXCEEDED, 1)
        cloud.plan = Script()
        assert await made(provider, "b") == (None, 1)
        await cloud.until(lambda books: books.open_connections == 1)
