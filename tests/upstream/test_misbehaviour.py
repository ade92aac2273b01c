"""Every way to misbehave, and what the transport makes of it: one attempt, one outcome, one reason."""

import asyncio
import base64
import contextlib
import json
import socket
import traceback

import pytest

from gateway.errors import Reason
from gateway.upstream.outcome import Attempt, Billed, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.transport import Transport
from tests.upstream.misbehaving.fault import Fault
from tests.upstream.misbehaving.plan import Script
from tests.upstream.misbehaving.server import MisbehavingCloud
from tests.upstream.misbehaving.service import PROJECT, marked

TRUE = (Outcome.SUCCESS, None)
UNSENT = (Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE)
LATE = (Outcome.LOST, Reason.UPSTREAM_TIMEOUT)
LOST = (Outcome.LOST, Reason.UPSTREAM_REPLY_LOST)
MALFORMED = (Outcome.MALFORMED, Reason.UPSTREAM_BAD_RESPONSE)
THROTTLED = (Outcome.THROTTLED, Reason.UPSTREAM_THROTTLED)
UNAUTHENTICATED = (Outcome.UNAUTHENTICATED, Reason.UPSTREAM_AUTHENTICATION_FAILED)

EXPECTED = {
    Fault.NONE: TRUE,
    Fault.RESET_ON_ACCEPT: LOST,
    Fault.CLOSE_ON_ACCEPT: LOST,
    Fault.RESET_BEFORE_BODY: LOST,
    Fault.RESET_AFTER_BODY: LOST,
    Fault.CLOSE_AFTER_BODY: LOST,
    Fault.RESET_IN_HEAD: LOST,
    Fault.RESET_IN_REPLY: LOST,
    Fault.CLOSE_IN_REPLY: LOST,
    Fault.RESET_AFTER_WORK: LOST,
    Fault.CLOSE_AFTER_WORK: LOST,
    Fault.IDLE_CLOSED: TRUE,
    Fault.CLOSED_ON_REUSE: TRUE,
    Fault.RESET_ON_REUSE: TRUE,
    Fault.HALF_OPEN: LATE,
    Fault.SLOW_HEAD: LATE,
    Fault.SLOW_BODY: LATE,
    Fault.STUCK_BODY: LATE,
    Fault.TRUNCATED_JSON: TRUE,  # whole as far as HTTP goes; whoever reads it finds out
    Fault.LENGTH_TOO_LARGE: LOST,
    Fault.LENGTH_TOO_SMALL: MALFORMED,
    Fault.SECOND_REPLY: TRUE,
    Fault.LATE_SECOND_REPLY: TRUE,
    Fault.WRONG_CHUNK: MALFORMED,
    Fault.WRONG_ENCODING: LOST,
    Fault.BOMB: MALFORMED,
    Fault.ENDLESS: MALFORMED,
    Fault.NOT_HTTP: MALFORMED,
    Fault.HUGE_HEADER: MALFORMED,
    Fault.CONTINUE_TWICE: TRUE,
    Fault.CONTINUE_ONLY: LOST,
    Fault.EARLY_REFUSAL: (Outcome.REFUSED, Reason.IMAGE_TOO_LARGE),
    Fault.THROTTLED: THROTTLED,
    Fault.THROTTLED_RETRY_AFTER: THROTTLED,
    Fault.THROTTLED_BY_CODE: THROTTLED,
    Fault.INTERNAL_BY_CODE: (Outcome.FAILED, Reason.UPSTREAM_INTERNAL),
    Fault.FAILED: (Outcome.FAILED, Reason.UPSTREAM_INTERNAL),
    Fault.UNAVAILABLE: (Outcome.FAILED, Reason.UPSTREAM_UNAVAILABLE),
    Fault.BAD_GATEWAY: (Outcome.FAILED, Reason.UPSTREAM_UNAVAILABLE),
    Fault.GATEWAY_TIMEOUT: (Outcome.FAILED, Reason.UPSTREAM_TIMEOUT),
    Fault.ERROR_IN_SUCCESS: (Outcome.REFUSED, Reason.IMAGE_DAMAGED),
    Fault.REFUSED: (Outcome.REFUSED, Reason.IMAGE_DAMAGED),
    Fault.HTML_IN_SUCCESS: MALFORMED,
    Fault.EMPTY_SUCCESS: MALFORMED,
    Fault.REDIRECT: MALFORMED,
    Fault.TOKEN_REVOKED: UNAUTHENTICATED,
    Fault.TOKEN_ABNORMAL: UNAUTHENTICATED,
}


@pytest.fixture
async def cloud():
    played = MisbehavingCloud()
    async with played.listening():
        yield played


@pytest.fixture
async def transport():
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2)) as opened:
        yield opened


def tagging(url: str, marker: str = "a", size: int = 10) -> Outgoing:
    document = {"image": base64.b64encode(marked(bytes(size), marker)).decode()}
    path = f"/v2/{PROJECT}/image/tagging"
    return Outgoing("POST", url + path, headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())


async def attempt(transport: Transport, cloud: MisbehavingCloud, marker: str = "a", timeout: float | None = None) -> Attempt:
    return await transport.send(tagging(cloud.url, marker), {"X-Auth-Token": cloud.service.issue()}, timeout=timeout)


async def settled() -> None:
    """Let the server write and the client read what there is: on loopback that is a matter of turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)


def tag_of(attempt: Attempt) -> str:
    return json.loads(attempt.reply.body)["result"]["tags"][0]["tag"]


def test_every_fault_is_expected_to_do_something() -> None:
    assert set(EXPECTED) == set(Fault)


@pytest.mark.parametrize("fault", Fault)
async def test_each_fault_has_its_outcome_and_is_not_tried_again(cloud, transport, fault) -> None:
    cloud.plan = Script(fault)
    outcome, reason = EXPECTED[fault]
    made = await attempt(transport, cloud, timeout=0.1 if EXPECTED[fault] == LATE else None)
    assert (made.outcome, made.error and made.error.reason) == (outcome, reason)
    assert cloud.books.connections == 1
    assert cloud.books.received["a"] <= 1
    assert cloud.books.faults == ({} if fault is Fault.NONE else {fault: 1})
    if made.error:
        assert "secret-token" not in "".join(traceback.format_exception(made.error)) + repr(made)


@pytest.mark.parametrize("fault", Fault)
async def test_whatever_the_cloud_may_bill_is_counted(cloud, transport, fault) -> None:
    cloud.plan = Script(fault)
    made = await attempt(transport, cloud, timeout=0.1 if EXPECTED[fault] == LATE else None)
    if cloud.books.billed["a"]:
        assert made.billed is not Billed.NO
    if made.billed is Billed.YES:
        assert cloud.books.billed["a"] == 1


@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.LATE_SECOND_REPLY, Fault.CLOSED_ON_REUSE, Fault.RESET_ON_REUSE}))
async def test_the_next_call_gets_its_own_answer(cloud, transport, fault) -> None:
    cloud.plan = Script(fault)
    await attempt(transport, cloud, "first", timeout=0.1 if EXPECTED[fault] == LATE else None)
    await settled()
    made = await attempt(transport, cloud, "second")
    assert tag_of(made) == "second"
    assert cloud.books.received["second"] == 1


@pytest.mark.parametrize("fault", [Fault.CLOSED_ON_REUSE, Fault.RESET_ON_REUSE])
async def test_a_connection_that_is_closed_as_it_is_used_again(cloud, fault) -> None:
    cloud.plan = Script(fault)
    still = Transport(connect_timeout=5, timeout=10, pool_size=2, monotonic=lambda: 0.0)  # so that a busy machine is not slow
    async with contextlib.aclosing(still) as transport:
        await attempt(transport, cloud, "first")
        made = await attempt(transport, cloud, "second")
        assert (made.outcome, made.error.reason) == (Outcome.STALE, Reason.UPSTREAM_UNAVAILABLE)
        assert (made.billed, cloud.books.received["second"]) == (Billed.MAYBE, 0)
        assert tag_of(await attempt(transport, cloud, "second")) == "second"


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_WORK, Fault.CLOSE_AFTER_WORK])
async def test_work_may_have_been_done_though_the_connection_was_kept(cloud, transport, fault) -> None:
    cloud.plan = Script(Fault.NONE, fault)
    await attempt(transport, cloud, "first")
    made = await attempt(transport, cloud, "second")
    assert (made.outcome, made.error.reason, made.billed) == (*LOST, Billed.MAYBE)
    assert (cloud.books.connections, cloud.books.billed["second"]) == (1, 1)


async def test_a_reply_that_nobody_asked_for_is_nobody_s(cloud, transport) -> None:
    """It comes while the connection waits in the pool."""
    cloud.plan = Script(Fault.LATE_SECOND_REPLY)
    await attempt(transport, cloud, "first")
    cloud.intrude.set()
    await settled()
    assert tag_of(await attempt(transport, cloud, "second")) == "second"


async def test_nobody_listens(cloud, transport) -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, but not listening
        taken.bind(("127.0.0.1", 0))
        made = await transport.send(tagging(f"http://127.0.0.1:{taken.getsockname()[1]}"), {})
    assert (made.outcome, made.error.reason) == UNSENT
    assert made.billed is Billed.NO


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE_BODY, Fault.EARLY_REFUSAL])
async def test_a_large_body_that_nobody_reads_is_not_billed(cloud, transport, fault) -> None:
    cloud.plan = Script(fault)
    made = await transport.send(tagging(cloud.url, size=7 << 20), {"X-Auth-Token": cloud.service.issue()})
    # The refusal may be read before the connection is found to be broken, or not.
    assert (made.outcome, made.error.reason) in {UNSENT, EXPECTED[Fault.EARLY_REFUSAL]}
    assert made.billed is Billed.NO


async def test_a_cancelled_attempt_closes_its_connection(cloud, transport) -> None:
    cloud.plan = Script(Fault.HALF_OPEN)
    task = asyncio.create_task(attempt(transport, cloud))
    await cloud.until(lambda books: books.billed["a"] == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cloud.until(lambda books: books.open_connections == 0)


async def test_pauses_that_the_service_asks_for_are_told(cloud, transport) -> None:
    cloud.plan = Script(Fault.THROTTLED, Fault.THROTTLED_RETRY_AFTER)
    assert [(await attempt(transport, cloud)).retry_after for _ in range(2)] == [None, 1.0]


async def test_the_client_says_nothing_that_the_server_does_not_understand(cloud, transport) -> None:
    cloud.plan = Script(*(fault for fault in Fault if EXPECTED[fault] != LATE and fault is not Fault.LATE_SECOND_REPLY))
    for number in range(len(Fault)):
        await attempt(transport, cloud, str(number))
    assert cloud.books.stray == []
