import asyncio
import base64
import contextlib
import logging
import math
import socket
import time
from functools import partial

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri, Language, MediaContent, TaggingParameters
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import LimitSettings
from gateway.upstream.settings import CloudSettings

SECRETS = ("hunter2", "secret-token")
PARAMETERS = TaggingParameters(Language.EN, 10.0, 7)


@pytest.fixture(autouse=True)
def no_secret_in_logs(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    assert not any(secret in caplog.text for secret in SECRETS)


@pytest.fixture
async def provider(cloud, settings):
    async with contextlib.aclosing(CloudProvider(settings, clock=lambda: cloud.now)) as opened:
        yield opened


@pytest.fixture
def image(preparer, dog):
    return preparer.check(dog)


async def failure(call) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call
    shown = f"{caught.value!r} {caught.value.upstream}"
    assert not any(secret in shown for secret in SECRETS)
    return caught.value


async def test_a_picture_is_sent_with_the_token_and_the_parameters(cloud, provider, image, dog) -> None:
    reply = await provider.tag(image, PARAMETERS)
    assert [(tag.name, tag.confidence) for tag in reply.tags] == [("cat", 91.5)]
    assert (reply.provider, reply.attempts, reply.request_ids) == ("cloud", 1, ("request-1",))
    assert reply.work_time > 0
    (request,) = cloud.calls
    assert request.path_qs == "/v2/project-7/image/tagging"
    assert request.headers["X-Auth-Token"] == "secret-token-1"
    assert request.content_type == "application/json"
    picture = base64.b64encode(dog).decode()
    assert cloud.bodies == [{"image": picture, "language": "en", "threshold": 10.0, "limit": 7}]


async def test_a_large_picture_arrives_too(preparer, cloud, provider, photos) -> None:
    data = (photos / "clock.bmp").read_bytes() + bytes(3 << 20)
    await provider.tag(preparer.check(data), PARAMETERS)
    assert base64.b64decode(cloud.bodies[0]["image"]) == data


async def test_a_url_is_passed_on_as_it_is(cloud, provider) -> None:
    uri = 'https://例え.jp/猫.jpg?Signature=a%2Bb&q="'
    await provider.tag(ImageUri(uri), PARAMETERS)
    assert cloud.bodies == [{"url": uri, "language": "en", "threshold": 10.0, "limit": 7}]


async def test_the_token_is_shown_to_whoever_watches(cloud, settings, image) -> None:
    registry = CollectorRegistry()
    async with contextlib.aclosing(CloudProvider(settings, registry=registry, clock=lambda: cloud.now)) as provider:
        shown = partial(registry.get_sample_value, "image_gateway_cloud_credential_remaining_seconds")
        assert math.isnan(shown())
        await provider.tag(image, PARAMETERS)
        before = shown()
        assert before > 0
        cloud.now += 50
        assert shown() == before - 50


async def test_one_token_serves_all_calls(cloud, provider, image) -> None:
    await asyncio.gather(*(provider.tag(image, PARAMETERS) for _ in range(30)))
    assert (len(cloud.sign_ins), len(cloud.calls)) == (1, 30)


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_calls_than_allowed_are_in_flight(cloud, settings, image, limit) -> None:
    policies = Policies(limit=LimitSettings(concurrency=limit))
    cloud.gate.clear()
    async with contextlib.aclosing(CloudProvider(settings, policies, clock=lambda: cloud.now)) as provider:
        calls = [asyncio.create_task(provider.tag(image, PARAMETERS)) for _ in range(10)]
        await cloud.until_under_way(limit)
        cloud.gate.set()
        replies = await asyncio.gather(*calls)
    assert cloud.most_under_way == limit
    assert replies[-1].queue_time > replies[0].queue_time


async def test_a_cancelled_call_gives_up_its_place(cloud, settings, image) -> None:
    cloud.gate.clear()
    single = Policies(limit=LimitSettings(concurrency=1))
    async with contextlib.aclosing(CloudProvider(settings, single, clock=lambda: cloud.now)) as provider:
        first = asyncio.create_task(provider.tag(image, PARAMETERS))
        await cloud.until_under_way(1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        cloud.gate.set()
        assert (await provider.tag(image, PARAMETERS)).attempts == 1


async def test_a_refused_token_is_replaced_once_and_the_call_succeeds(cloud, provider, image) -> None:
    cloud.refused_tokens = {"secret-token-1"}
    reply = await provider.tag(image, PARAMETERS)
    assert (reply.attempts, reply.request_ids) == (2, ("request-1", "request-2"))
    assert [request.headers["X-Auth-Token"] for request in cloud.calls] == ["secret-token-1", "secret-token-2"]
    assert (await provider.tag(image, PARAMETERS)).attempts == 1
    assert len(cloud.sign_ins) == 2


async def test_many_refused_calls_share_one_new_token(cloud, provider, image) -> None:
    cloud.refused_tokens = {"secret-token-1"}
    replies = await asyncio.gather(*(provider.tag(image, PARAMETERS) for _ in range(10)))
    assert {reply.attempts for reply in replies} == {2}
    assert len(cloud.sign_ins) == 2


async def test_a_second_refusal_is_told(cloud, provider, image) -> None:
    cloud.refused_tokens = {"all"}
    error = await failure(provider.tag(image, PARAMETERS))
    assert (error.reason, error.upstream.error_code) == (Reason.UPSTREAM_AUTHENTICATION_FAILED, "APIG.0301")
    assert error.upstream.request_id == "request-2"
    assert (len(cloud.calls), len(cloud.sign_ins)) == (2, 2)


async def test_a_pause_that_is_too_long_to_wait_for_is_told(cloud, provider, image) -> None:
    cloud.answer = lambda _, headers: web.json_response(
        {"error_code": "APIG.0308", "error_msg": "slow"}, status=429, headers=headers | {"Retry-After": "30"}
    )
    error = await failure(provider.tag(image, PARAMETERS))
    assert (error.reason, error.retry_after) == (Reason.UPSTREAM_THROTTLED, 30)
    assert len(cloud.calls) == 1


async def test_an_answer_that_is_no_answer(cloud, provider, image) -> None:
    cloud.answer = lambda _, headers: web.Response(text="<html>It works!</html>", headers=headers)
    assert (await failure(provider.tag(image, PARAMETERS))).reason is Reason.UPSTREAM_BAD_RESPONSE


async def test_a_wrong_password_is_tried_once_however_many_call(cloud, settings, image) -> None:
    wrong = CloudSettings(**settings.model_dump() | {"password": "hunter22"})
    async with contextlib.aclosing(CloudProvider(wrong, clock=lambda: cloud.now)) as provider:
        calls = (failure(provider.tag(image, PARAMETERS)) for _ in range(10))
        assert {error.reason for error in await asyncio.gather(*calls)} == {Reason.UPSTREAM_AUTHENTICATION_FAILED}
        assert (await failure(provider.check())).retry_after > 0
    assert (len(cloud.sign_ins), cloud.calls) == (1, [])


async def test_check_asks_for_a_token_and_no_more(cloud, provider) -> None:
    await provider.check()
    await provider.check()
    assert (len(cloud.sign_ins), cloud.calls) == (1, [])


async def test_check_says_what_is_wrong(cloud, provider) -> None:
    cloud.sign_in_status = 503
    assert (await failure(provider.check())).reason is Reason.UPSTREAM_UNAVAILABLE


async def test_check_notices_that_the_service_is_gone_though_the_token_is_still_good(cloud, settings) -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, but not listening
        taken.bind(("127.0.0.1", 0))
        gone = CloudSettings(**settings.model_dump() | {"endpoint": f"http://127.0.0.1:{taken.getsockname()[1]}"})
        async with contextlib.aclosing(CloudProvider(gone, clock=lambda: cloud.now)) as provider:
            assert (await failure(provider.check())).reason is Reason.UPSTREAM_UNAVAILABLE
    assert len(cloud.sign_ins) == 1


async def test_a_token_is_fetched_anew_when_it_has_expired(cloud, provider, image) -> None:
    await provider.tag(image, PARAMETERS)
    cloud.now += 86_400
    await provider.tag(image, PARAMETERS)
    assert cloud.calls[1].headers["X-Auth-Token"] == "secret-token-2"


async def test_incomplete_settings_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="needed when provider is 'cloud'"):
        CloudProvider(CloudSettings())


async def test_a_url_that_has_expired_costs_no_call(cloud, provider) -> None:
    error = await failure(
        provider.tag(
            ImageUri(f"https://b.obs.cn-east-3.myhuaweicloud.com/a?AccessKeyId=AK&Expires={int(time.time()) - 9999}&Signature=s"),
            PARAMETERS,
        )
    )
    assert (error.reason, error.field, cloud.calls) == (Reason.URI_INVALID, "uri", [])


async def test_recordings_are_taken_by_url_only(cloud, provider) -> None:
    error = await failure(provider.recognize_music(MediaContent(b"mp4")))
    assert (error.reason, error.field, cloud.calls) == (Reason.UNIMPLEMENTED, "content", [])


async def test_urls_are_downloaded_here_if_that_is_wanted(settings) -> None:
    here = settings.model_copy(update={"uris": "download"})
    async with contextlib.aclosing(CloudProvider(here)) as provider:
        assert (provider.downloads_images, provider.downloads_recordings) == (False, True)
