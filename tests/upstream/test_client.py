"""The policies around attempts; the attempts themselves are scripted."""

import asyncio
import base64
import json
import math
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import ImageUri, TaggingParameters
from gateway.upstream import attempts
from gateway.upstream.client import CloudClient, Service
from gateway.upstream.course import Form
from gateway.upstream.credentials.protocol import Holding
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.operations import DARK_ENHANCE, MUSIC, TAGGING, DarkEnhanceParameters
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.parameters import MusicParameters
from gateway.upstream.policies import Policies
from gateway.upstream.reply import HttpReply
from gateway.upstream.resilience.settings import BreakerSettings, HedgeSettings, LimitSettings, RetrySettings

# A black picture of 16 × 16 pixels.
PICTURE = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 822, 0, 0, 54, 40, 16, 16, 1, 24, 0, 768, 0, 0, 0, 0) + bytes(768)
CAT = json.dumps({"result": {"tags": [{"tag": "cat", "confidence": "91.5", "type": "object"}]}}).encode()


def reply(number: int, status: int = 200, body: bytes = CAT) -> HttpReply:
    return HttpReply(status, {"X-Request-Id": f"r{number}"}, body)


def failed(outcome: Outcome, reason: Reason, *, status: int = 0, retry_after: float | None = None) -> Callable[[int], Attempt]:
    def attempt(number: int) -> Attempt:
        error = GatewayError(reason, f"attempt {number}", retry_after=retry_after, upstream=UpstreamDetail(http_status=status))
        return Attempt(outcome, reply(number, status, b"") if status else None, error, retry_after)

    return attempt


def succeeded(number: int) -> Attempt:
    return Attempt(Outcome.SUCCESS, reply(number))


THROTTLED = failed(Outcome.THROTTLED, Reason.UPSTREAM_THROTTLED, status=429)
BROKEN = failed(Outcome.FAILED, Reason.UPSTREAM_INTERNAL, status=500)
LOST = failed(Outcome.LOST, Reason.UPSTREAM_REPLY_LOST)
REFUSED = failed(Outcome.REFUSED, Reason.IMAGE_REJECTED, status=400)
UNKNOWN_TOKEN = failed(Outcome.UNAUTHENTICATED, Reason.UPSTREAM_AUTHENTICATION_FAILED, status=401)


class Transport:
    """Does what the script says, one entry for each request; the last one again and again."""

    def __init__(self, *script: Callable[[int], Attempt]) -> None:
        self.script = script
        self.sent: list[tuple[Outgoing, dict[str, str]]] = []
        self.under_way = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, outgoing: Outgoing, headers: dict[str, str]) -> Attempt:
        self.sent.append((outgoing, headers))
        number = len(self.sent)
        self.under_way += 1
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        return self.script[min(number, len(self.script)) - 1](number)


class Credential:
    """Grants that are worth another attempt as often as `lives` says."""

    def __init__(self, lives: int = 1) -> None:
        self.granted = self.taken = 0
        self.lives = lives

    async def grant(self) -> "Credential":
        self.granted += 1
        return self

    project_id = "project/7"

    def headers(self, outgoing: Outgoing) -> dict[str, str]:
        return {"X-Auth-Token": f"token {self.granted}", "X-Length": str(len(outgoing.body))}

    def accepted(self) -> None:
        self.taken += 1

    def holding(self) -> Holding:
        return Holding(age=60.0, remaining=float("inf"), fetches=self.granted, failures=2)

    def refused(self, refusal: GatewayError, reply: HttpReply) -> bool:
        assert (refusal.reason, reply.status) == (Reason.UPSTREAM_AUTHENTICATION_FAILED, 401)
        self.lives -= 1
        return self.lives >= 0


class Bench:
    """A client with what surrounds it."""

    def __init__(self, *script: Callable[[int], Attempt], credential: Credential | None = None, **policies: object) -> None:
        self.transport = Transport(*script)
        self.credential = credential or Credential()
        self.registry = CollectorRegistry()
        self.slept: list[float] = []
        self.client = CloudClient(
            Service("https://image.example"),
            self.transport,
            self.credential,
            Policies(**policies),
            UpstreamMetrics(self.registry),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def tag(self, call: Call = UNHURRIED):
        return await self.client.call(TAGGING, PICTURE, TaggingParameters(limit=7), call)

    async def failure(self, call: Call = UNHURRIED) -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            await self.tag(call)
        return caught.value

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"image_gateway_cloud_{name}", labels) or 0.0

    def attempts(self, outcome: str, billed: str, tenant: str = "") -> float:
        return self.counted("attempts_total", operation="image-tagging", tenant=tenant, outcome=outcome, billed=billed)


async def test_a_call_carries_picture_parameters_and_credentials_and_brings_the_result() -> None:
    bench = Bench(succeeded)
    answer = await bench.tag(Call(tenant="blue"))
    ((outgoing, headers),) = bench.transport.sent
    assert (outgoing.method, outgoing.url) == ("POST", "https://image.example/v2/project%2F7/image/tagging")
    assert json.loads(outgoing.body) == {
        "image": base64.b64encode(PICTURE).decode(),
        "language": "zh",
        "threshold": 60.0,
        "limit": 7,
    }
    assert headers == {"X-Auth-Token": "token 1", "X-Length": str(len(outgoing.body))}
    assert ([tag.name for tag in answer.result], answer.attempts, answer.request_ids) == (["cat"], 1, ("r1",))
    assert answer.work_time >= 0 <= answer.queue_time
    assert bench.attempts("success", "yes", "blue") == 1
    assert bench.counted("calls_total", operation="image-tagging", tenant="blue", result="ok") == 1
    assert bench.counted("queue_seconds_count", operation="image-tagging") == 1


async def test_urls_and_forms_are_sent_as_such() -> None:
    bench = Bench(succeeded)
    await bench.client.call(TAGGING, ImageUri("https://example.org/a.jpg"), TaggingParameters(), UNHURRIED)
    with pytest.raises(GatewayError):  # the reply has no picture
        await bench.client.call(DARK_ENHANCE, Form(PICTURE, "image/bmp"), DarkEnhanceParameters(0.5), UNHURRIED)
    url, form = (outgoing for outgoing, _ in bench.transport.sent)
    assert json.loads(url.body)["url"] == "https://example.org/a.jpg"
    assert form.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="brightness"\r\n\r\n0.5\r\n' in form.body
    assert b"Content-Type: image/bmp\r\n\r\n" + PICTURE + b"\r\n--" in form.body


async def test_what_an_operation_does_not_take_is_not_sent() -> None:
    bench = Bench(succeeded)
    with pytest.raises(GatewayError) as caught:
        await bench.client.call(MUSIC, PICTURE, MusicParameters(), UNHURRIED)
    assert (caught.value.reason, bench.transport.sent) == (Reason.INVALID_ARGUMENT, [])


async def test_a_url_that_has_expired_is_not_sent() -> None:
    bench = Bench(succeeded)
    with pytest.raises(GatewayError) as caught:
        await bench.client.call(
            TAGGING, ImageUri("https://e.org/a?AccessKeyId=A&Expires=1600000000&Signature=s"), TaggingParameters(), UNHURRIED
        )
    assert (caught.value.reason, bench.transport.sent) == (Reason.URI_INVALID, [])


async def test_a_picture_that_would_be_refused_is_not_sent() -> None:
    bench = Bench(succeeded)
    with pytest.raises(GatewayError) as caught:
        await bench.client.call(TAGGING, b"no picture", TaggingParameters(), UNHURRIED)
    assert (caught.value.reason, bench.transport.sent) == (Reason.IMAGE_FORMAT_UNSUPPORTED, [])
    limits = replace(TAGGING.limits, max_base64=1 << 30)
    vast = replace(TAGGING, limits=limits)
    with pytest.raises(GatewayError) as caught:
        await bench.client.call(vast, PICTURE + bytes(9_000_000), TaggingParameters(), UNHURRIED)
    error = caught.value
    assert (error.reason, error.allowed, bench.transport.sent) == (Reason.IMAGE_TOO_LARGE, "under 12000000 bytes", [])
    assert bench.client._breakers.of("https://image.example", "image-tagging").state == "closed"


async def test_what_is_wrong_with_a_recording_is_said_of_a_recording() -> None:
    bench = Bench(failed(Outcome.REFUSED, Reason.IMAGE_FORMAT_UNSUPPORTED, status=400))
    with pytest.raises(GatewayError) as caught:
        await bench.client.call(MUSIC, ImageUri("https://e.org/a"), MusicParameters(), UNHURRIED)
    assert caught.value.reason is Reason.MEDIA_UNSUPPORTED


async def test_what_passes_is_tried_again_and_all_attempts_are_told() -> None:
    bench = Bench(THROTTLED, BROKEN, succeeded)
    answer = await bench.tag()
    assert (answer.attempts, answer.request_ids) == (3, ("r1", "r2", "r3"))
    assert len(bench.slept) == 2
    assert [bench.attempts(*pair) for pair in (("throttled", "no"), ("failed", "no"), ("success", "yes"))] == [1, 1, 1]
    assert bench.counted("retries_total", outcome="throttled") == 1


async def test_the_last_failure_is_told_with_the_number_of_attempts() -> None:
    bench = Bench(BROKEN)
    error = await bench.failure()
    assert (error.reason, error.message, error.upstream) == (
        Reason.UPSTREAM_INTERNAL,
        "attempt 3",
        UpstreamDetail(http_status=500, attempts=3),
    )
    assert bench.counted("calls_total", operation="image-tagging", tenant="", result="UPSTREAM_INTERNAL") == 1


@pytest.mark.parametrize(("attempt", "billed"), [(LOST, "maybe"), (REFUSED, "no")])
async def test_what_may_have_been_paid_for_and_what_is_final_is_not_tried_again(attempt, billed) -> None:
    bench = Bench(attempt, succeeded)
    error = await bench.failure()
    assert error.upstream.attempts == len(bench.transport.sent) == 1
    assert bench.attempts(attempt(1).outcome.value, billed) == 1


async def test_lost_replies_are_asked_for_again_if_that_is_wanted() -> None:
    assert (await Bench(LOST, succeeded, retry=RetrySettings(lost_replies=True)).tag()).attempts == 2


async def test_retries_of_all_calls_together_are_bounded() -> None:
    bench = Bench(
        BROKEN,
        retry=RetrySettings(attempts=5, budget_share=0.1, budget_reserve=2),
        breaker=BreakerSettings(enabled=False),
    )
    for _ in range(100):
        await bench.failure()
    assert 100 < len(bench.transport.sent) <= 100 + 2 + 0.1 * 100
    # Each call was refused one, since every one of them would have gone on to its fifth.
    assert bench.counted("retry_budget_refusals_total") == 100


async def test_refused_credentials_are_replaced_once() -> None:
    bench = Bench(UNKNOWN_TOKEN, succeeded)
    answer = await bench.tag()
    assert (answer.attempts, bench.slept) == (2, [])
    assert [headers["X-Auth-Token"] for _, headers in bench.transport.sent] == ["token 1", "token 2"]
    assert bench.credential.taken == 1


@pytest.mark.parametrize(("lives", "attempts"), [(9, 2), (0, 1)])
async def test_credentials_that_stay_refused_are_the_answer(lives, attempts) -> None:
    bench = Bench(UNKNOWN_TOKEN, credential=Credential(lives))
    error = await bench.failure()
    assert (error.reason, error.upstream.attempts) == (Reason.UPSTREAM_AUTHENTICATION_FAILED, attempts)


async def test_refused_credentials_are_told_to_whoever_asks_how_it_is(caplog) -> None:
    bench = Bench(UNKNOWN_TOKEN, UNKNOWN_TOKEN, succeeded, credential=Credential(1))
    bench.client.check()
    await bench.failure()
    with pytest.raises(GatewayError) as caught:
        bench.client.check()
    assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
    assert caplog.text.count("does not take the gateway's credentials") == 1
    await bench.tag()
    bench.client.check()


async def test_a_retry_that_is_not_made_takes_nothing_from_the_budget() -> None:
    bench = Bench(BROKEN, breaker=BreakerSettings(failures=1))
    await bench.failure()
    assert (bench.counted("retry_budget"), bench.counted("retries_total", outcome="failed")) == (10, 0)


async def test_a_result_that_is_not_the_contract_s_is_told_and_may_have_been_paid_for() -> None:
    bench = Bench(lambda number: Attempt(Outcome.SUCCESS, reply(number, body=b'{"result": {"tags": 7}}')), succeeded)
    error = await bench.failure()
    assert (error.reason, error.upstream.request_id) == (Reason.UPSTREAM_BAD_RESPONSE, "r1")
    assert bench.attempts("malformed", "maybe") == 1


async def test_an_operation_that_fails_is_left_alone_and_others_are_not() -> None:
    bench = Bench(BROKEN, retry=RetrySettings(attempts=1))
    for _ in range(5):
        await bench.failure()
    error = await bench.failure()
    assert (error.reason, error.upstream.attempts, len(bench.transport.sent)) == (Reason.UPSTREAM_SUSPENDED, 0, 5)
    assert error.retry_after > 0
    assert bench.counted("breaker_state", operation="image-tagging") == 2
    bench.transport.script = (lambda number: Attempt(Outcome.SUCCESS, reply(number, body=b'{"result": {"audio_name": "x"}}')),)
    assert (await bench.client.call(MUSIC, ImageUri("https://e.org/a"), MusicParameters(), UNHURRIED)).result == "x"


async def test_calls_that_come_to_nothing_earn_nothing_for_retries() -> None:
    bench = Bench(BROKEN, retry=RetrySettings(attempts=1), breaker=BreakerSettings(failures=1))
    await bench.failure()
    before = bench.counted("retry_budget")
    bench.client._budget._tokens = 0.0
    for _ in range(50):
        assert (await bench.failure()).reason is Reason.UPSTREAM_SUSPENDED
    assert (before, bench.counted("retry_budget")) == (10, 0)


async def test_what_the_cloud_said_is_told_even_if_it_cannot_be_asked_again() -> None:
    bench = Bench(BROKEN, breaker=BreakerSettings(failures=1))
    error = await bench.failure()
    assert (error.reason, error.message, error.upstream.attempts) == (Reason.UPSTREAM_INTERNAL, "attempt 1", 1)
    assert error.retry_after > 0


async def test_pictures_that_an_algorithm_fails_on_do_not_suspend_it_for_others() -> None:
    odd = failed(Outcome.FAILED, Reason.UPSTREAM_INTERNAL, status=400)
    bench = Bench(odd, retry=RetrySettings(attempts=1))
    assert {(await bench.failure()).reason for _ in range(30)} == {Reason.UPSTREAM_INTERNAL}


async def test_a_cloud_that_hangs_is_left_alone_even_if_callers_give_up_first(monkeypatch) -> None:
    monkeypatch.setattr(attempts, "_PATIENCE", 0.02)
    bench = Bench(succeeded, breaker=BreakerSettings(failures=2))
    bench.transport.gate.clear()
    now = asyncio.get_running_loop().time
    for deadline in (0.001, 0.001, 0.001):  # too short to tell
        await bench.failure(Call(deadline=now() + deadline))
    for _ in range(2):
        assert (await bench.failure(Call(deadline=now() + 0.03))).reason is Reason.DEADLINE_EXCEEDED
    assert (await bench.failure()).reason is Reason.UPSTREAM_SUSPENDED


async def test_a_reply_that_nobody_waits_to_be_read_is_paid_for() -> None:
    reading, done = threading.Event(), threading.Event()

    def read(*_: object) -> tuple[()]:
        reading.set()
        done.wait(5)
        return ()

    bench = Bench(lambda number: Attempt(Outcome.SUCCESS, reply(number, body=b"{" + bytes(1 << 20))))
    slow = replace(TAGGING, read=read)
    task = asyncio.create_task(bench.client.call(slow, PICTURE, TaggingParameters(), UNHURRIED))
    await asyncio.to_thread(reading.wait, 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    done.set()
    assert bench.attempts("success", "yes") == 1


async def test_the_wait_for_a_turn_that_never_came_is_told() -> None:
    bench = Bench(succeeded, limit=LimitSettings(concurrency=1))
    bench.transport.gate.clear()
    first = asyncio.create_task(bench.tag())
    await asyncio.sleep(0)
    error = await bench.failure(Call(deadline=asyncio.get_running_loop().time() + 0.03))
    assert error.reason is Reason.DEADLINE_EXCEEDED
    assert bench.counted("queue_seconds_sum", operation="image-tagging") > 0.02
    bench.transport.gate.set()
    await first


async def test_the_deadline_ends_a_request_which_may_have_been_paid_for() -> None:
    bench = Bench(succeeded)
    bench.transport.gate.clear()
    error = await bench.failure(Call(deadline=asyncio.get_running_loop().time() + 0.02))
    assert (error.reason, error.upstream.attempts) == (Reason.DEADLINE_EXCEEDED, 1)
    assert (bench.transport.under_way, bench.attempts("cancelled", "maybe")) == (0, 1)
    assert bench.counted("in_flight") == 0


async def test_a_cancelled_call_ends_its_request_and_gives_its_place_back() -> None:
    bench = Bench(succeeded, limit=LimitSettings(concurrency=1))
    bench.transport.gate.clear()
    calls = [asyncio.create_task(bench.tag()) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert (bench.transport.under_way, bench.counted("waiting")) == (1, 1)
    calls[0].cancel()
    await asyncio.gather(calls[0], return_exceptions=True)
    bench.transport.gate.set()
    assert (await calls[1]).attempts == 1
    assert bench.counted("calls_total", operation="image-tagging", tenant="", result="cancelled") == 1
    assert (bench.counted("in_flight"), bench.counted("waiting")) == (0, 0)


async def test_a_call_that_is_cancelled_once_its_deadline_has_passed_counts_as_late() -> None:
    """Servers cancel calls at the same deadline, and may be quicker."""
    bench = Bench(succeeded)
    bench.transport.gate.clear()
    task = asyncio.create_task(bench.tag(Call(deadline=time.monotonic() + 0.02)))
    await asyncio.sleep(0)
    time.sleep(0.03)  # noqa: ASYNC251  # so that the deadline's own timer cannot run before the cancellation
    task.cancel()
    assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
    assert bench.counted("calls_total", operation="image-tagging", tenant="", result="DEADLINE_EXCEEDED") == 1
    assert bench.attempts("cancelled", "maybe") == 1


async def test_what_the_credential_holds_is_shown() -> None:
    bench = Bench(succeeded)
    await bench.tag()
    assert bench.counted("credential_age_seconds") == 60.0
    assert bench.counted("credential_remaining_seconds") == math.inf
    assert [bench.counted("credential_fetches_total", result=result) for result in ("ok", "failed")] == [1, 2]


async def test_a_pause_that_the_cloud_asks_for_is_shown() -> None:
    bench = Bench(
        failed(Outcome.THROTTLED, Reason.UPSTREAM_THROTTLED, status=429, retry_after=60.0), retry=RetrySettings(attempts=1)
    )
    assert bench.counted("pause_seconds") == 0.0
    await bench.failure()
    assert 15.0 < bench.counted("pause_seconds") <= LimitSettings().max_hold


async def test_who_waits_to_try_again_holds_no_place() -> None:
    bench = Bench(BROKEN, succeeded, limit=LimitSettings(concurrency=1))
    between = asyncio.Event()

    async def sleep(_: float) -> None:
        await between.wait()

    bench.client._sleep = sleep
    first = asyncio.create_task(bench.tag())
    await asyncio.sleep(0.01)
    assert (await bench.tag()).request_ids == ("r2",)
    between.set()
    assert (await first).request_ids == ("r1", "r3")


async def test_no_more_calls_at_once_than_the_account_may_make() -> None:
    bench = Bench(succeeded, limit=LimitSettings(concurrency=3))
    bench.transport.gate.clear()
    calls = [asyncio.create_task(bench.tag()) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert (bench.transport.under_way, bench.counted("limit"), bench.counted("waiting")) == (3, 3, 7)
    bench.transport.gate.set()
    await asyncio.gather(*calls)


async def test_a_slow_call_is_made_a_second_time_if_that_is_wanted() -> None:
    bench = Bench(succeeded, hedge=HedgeSettings(after=0.01, share=1.0))

    async def send(outgoing: Outgoing, headers: dict[str, str]) -> Attempt:
        bench.transport.sent.append((outgoing, headers))
        if len(bench.transport.sent) == 1:
            await asyncio.Event().wait()
        return succeeded(len(bench.transport.sent))

    bench.transport.send = send
    answer = await bench.tag()
    assert (answer.attempts, answer.request_ids) == (2, ("r2",))
    assert (bench.counted("hedges_total"), bench.attempts("cancelled", "maybe")) == (1, 1)


async def test_the_wait_for_credentials_makes_no_second_call() -> None:
    bench = Bench(succeeded, hedge=HedgeSettings(after=0.01, share=1.0))
    grant = bench.credential.grant

    async def slow() -> Credential:
        await asyncio.sleep(0.03)
        return await grant()

    bench.credential.grant = slow
    assert (await bench.tag()).attempts == 1
    assert bench.counted("hedges_total") == 0


async def test_of_two_calls_the_one_that_may_have_been_paid_for_decides() -> None:
    bench = Bench(succeeded, hedge=HedgeSettings(after=0.01, share=1.0))
    second = asyncio.Event()

    async def send(outgoing: Outgoing, headers: dict[str, str]) -> Attempt:
        bench.transport.sent.append((outgoing, headers))
        if len(bench.transport.sent) == 1:
            await second.wait()
            return BROKEN(1)
        second.set()
        return LOST(2)

    bench.transport.send = send
    error = await bench.failure()
    assert (error.reason, len(bench.transport.sent)) == (Reason.UPSTREAM_REPLY_LOST, 2)


async def test_new_policies_hold_from_the_next_attempt_on() -> None:
    unavailable = failed(Outcome.FAILED, Reason.UPSTREAM_UNAVAILABLE, status=503)
    bench = Bench(unavailable, retry=RetrySettings(attempts=1))
    await bench.failure()
    assert len(bench.transport.sent) == 1
    bench.client.adopt(Policies(retry=RetrySettings(attempts=3, budget_reserve=2), breaker=BreakerSettings(failures=100)))
    await bench.failure()
    assert len(bench.transport.sent) == 4
    assert bench.counted("retry_budget") == 0.0
