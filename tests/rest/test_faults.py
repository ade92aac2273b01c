"""Faults, struck on a small application whose every answer is the same JSON."""

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.rest.codes import CODES
from gateway.rest.errors import RestError
from gateway.rest.fault_grammar import MAX_RULES, Failure, Fault, Latency, ProxyPage, Reset, Spoiled, Throttle, parse_rules
from gateway.rest.fault_settings import FaultSettings
from gateway.rest.faults import HEADER, Fate, Occurrence, decide, fault_middleware
from gateway.rest.settings import RestConfigError

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "rest-testing.md"
OPERATIONS = ("image-tagging", "defog", "iam")
DOCUMENT = {"result": {"tags": ["cat", "猫"]}}
BODY = json.dumps(DOCUMENT).encode()


class Face:
    """What stands behind the faults: counts what reaches it, and what was waited for."""

    def __init__(self) -> None:
        self.reached = 0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def answer(self, request: web.Request) -> web.Response:
        self.reached += 1
        await request.read()
        if request.headers.get("X-Auth-Token") == "wrong":
            raise RestError("APIG.0301")
        return web.json_response(DOCUMENT)


@web.middleware
async def answer_always(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]):
    try:
        response = await handler(request)
    except RestError as error:
        response = error.response()
    response.headers["X-Request-Id"] = "r1"
    return response


@pytest.fixture
def face() -> Face:
    return Face()


Start = Callable[..., AbstractAsyncContextManager[TestClient]]


@pytest.fixture
def start(face) -> Start:
    @asynccontextmanager
    async def started(**settings) -> AsyncIterator[TestClient]:
        def operation_of(request: web.Request) -> str:
            return request.match_info.route.name or ""

        faults = fault_middleware(FaultSettings(**settings), OPERATIONS, operation_of, face.sleep)
        app = web.Application(middlewares=[answer_always, faults])
        for name in OPERATIONS:
            app.router.add_post(f"/{name}", face.answer, name=name)
        app.router.add_post("/health", face.answer)
        async with TestClient(TestServer(app)) as client:
            yield client

    return started


async def post(client: TestClient, path: str = "/defog", fault: str | None = None, **headers: str):
    """Status, headers and body of a reply."""
    if fault is not None:
        headers[HEADER] = fault
    async with client.post(path, data=b"picture", headers=headers) as response:
        return response.status, response.headers, await response.read()


# The grammar.


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("latency=0.25", Latency(0.25, 0.25)),
        ("latency=0.1-2", Latency(0.1, 2.0)),
        ("latency = 0.1 - 300", Latency(0.1, 300.0)),
        ("throttle", Throttle(1)),
        ("throttle=3600", Throttle(3600)),
        ("error=AIS.0206", Failure("AIS.0206", hidden=False)),
        ("hidden-error=ModelArts.0203", Failure("ModelArts.0203", hidden=True)),
        ("proxy=502", ProxyPage(502)),
        ("proxy=503", ProxyPage(503)),
        ("reset=start", Reset("start")),
        ("reset=headers", Reset("headers")),
        ("reset=body", Reset("body")),
        ("truncated", Spoiled("truncated")),
        ("malformed", Spoiled("malformed")),
        ("empty", Spoiled("empty")),
        ("wrong-type", Spoiled("wrong-type")),
    ],
)
@pytest.mark.parametrize(("suffix", "probability"), [("", 1.0), ("@0.25", 0.25), (" @ 5 %", 0.05), ("@0", 0.0), ("@100%", 1.0)])
@pytest.mark.parametrize(("prefix", "operations"), [("", set()), ("defog:", {"defog"}), ("defog , iam :", {"defog", "iam"})])
def test_rules(text, fault, suffix, probability, prefix, operations) -> None:
    (rule,) = parse_rules(prefix + text + suffix)
    assert (rule.fault, rule.operations, rule.probability) == (fault, operations, pytest.approx(probability))


def test_several_rules_keep_their_order() -> None:
    assert [rule.fault for rule in parse_rules("; empty;latency=1 ;; iam: malformed;")] == [
        Spoiled("empty"),
        Latency(1, 1),
        Spoiled("malformed"),
    ]
    assert parse_rules(" ; ") == ()


@pytest.mark.parametrize(
    ("text", "part", "allowed"),
    [
        ("latancy=2", "latancy=2", "latency=SECONDS"),
        ("latency", "latency", "latency=SECONDS"),
        ("empty; latency=", "latency=", "latency=SECONDS"),
        ("latency=301", "latency=301", "up to 300"),
        ("latency=2-1", "latency=2-1", "latency=LEAST-MOST"),
        ("latency=-1", "latency=-1", "latency=SECONDS"),
        ("latency=1-", "latency=1-", "latency=LEAST-MOST"),
        ("latency=nan", "latency=nan", "latency=SECONDS"),
        ("latency=1e2", "latency=1e2", "latency=SECONDS"),
        ("latency=٣", "latency=٣", "latency=SECONDS"),
        ("throttle=0", "throttle=0", "from 1 to 3600"),
        ("throttle=3601", "throttle=3601", "from 1 to 3600"),
        ("throttle=²", "throttle=²", "from 1 to 3600"),
        ("error=AIS.9999", "error=AIS.9999", "error=CODE of the contract"),
        ("error", "error", "error=CODE"),
        ("hidden-error=", "hidden-error=", "hidden-error=CODE"),
        ("proxy=200", "proxy=200", "proxy=502"),
        ("reset=end", "reset=end", "reset=start"),
        ("empty=1", "empty=1", "it must be empty"),
        ("empty=", "empty=", "it must be empty"),
        ("empty@", "empty@", "a probability, from 0 to 1"),
        ("empty@1.5", "empty@1.5", "a probability, from 0 to 1"),
        ("empty@101%", "empty@101%", "from 0% to 100%"),
        ("empty@-1", "empty@-1", "a probability"),
        ("empty@0.5@0.5", "empty@0.5@0.5", "a probability"),
        ("@0.5", "@0.5", "a fault must be"),
        ("defog:", "defog:", "a fault must be"),
        (":empty", ":empty", "names of operations"),
        ("defog,:empty", "defog,:empty", "names of operations"),
        ("DEFOG:empty", "DEFOG:empty", "names of operations"),
        ("a:b:empty", "a:b:empty", "names of operations"),
        ("a/b:empty", "a/b:empty", "names of operations"),
    ],
)
def test_what_is_no_rule_is_told_with_what_is_allowed(text, part, allowed) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(part))) as caught:
        parse_rules(text)
    assert allowed in str(caught.value)
    with pytest.raises(ValidationError, match="it holds"):
        FaultSettings(inject=text)


def test_the_documentation_shows_every_fault() -> None:
    table = DOCUMENTATION.read_text().partition("## Record")[0]
    shown = [rule.fault for rule in parse_rules(";".join(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)))]
    assert {type(fault) for fault in shown} == set(get_args(Fault))
    assert {fault.at for fault in shown if isinstance(fault, Reset)} == {"start", "headers", "body"}
    assert {fault.how for fault in shown if isinstance(fault, Spoiled)} == {"truncated", "malformed", "empty", "wrong-type"}


def test_rules_are_limited_in_number_and_messages_in_length() -> None:
    assert len(parse_rules(";".join(["empty"] * MAX_RULES))) == MAX_RULES
    with pytest.raises(ValueError, match="at most 64"):
        parse_rules(";".join(["empty"] * (MAX_RULES + 1)))
    with pytest.raises(ValueError, match="it holds") as caught:
        parse_rules("x" * 100_000)
    assert len(str(caught.value)) < 600


@given(st.text("latencympyrowd=019.@%;:,- ٣\0", max_size=40))
def test_any_text_is_rules_or_a_value_error(text) -> None:
    try:
        rules = parse_rules(text)
    except ValueError as error:
        assert "it holds" in str(error)  # noqa: PT017  # what hypothesis tries may be either
    else:
        assert all(0 <= rule.probability <= 1 for rule in rules)


def test_settings() -> None:
    assert FaultSettings(inject=["empty @ 1%", "iam: throttle"]).inject == "empty @ 1%; iam: throttle"
    assert not FaultSettings().active
    assert not FaultSettings(inject=" ").active
    assert FaultSettings(inject="empty").active
    assert FaultSettings(header=True).active


def test_operations_that_do_not_exist_stop_the_start() -> None:
    settings = FaultSettings(inject="defog: empty; iam, defogg: empty")
    with pytest.raises(RestConfigError, match="'defogg'; there are image-tagging, defog, iam"):
        fault_middleware(settings, OPERATIONS, lambda _: "")


# Who is struck.


def fates(text: str, count: int = 4000, seed: int = 1, operation: str = "defog") -> list[Fate]:
    rules = parse_rules(text)
    return [decide(rules, Occurrence(seed, operation, number)) for number in range(count)]


@pytest.mark.parametrize("probability", [0.01, 0.2, 0.75])
def test_faults_strike_as_often_as_they_should(probability) -> None:
    struck = sum(fate.fault is not None for fate in fates(f"empty@{probability}"))
    deviation = (4000 * probability * (1 - probability)) ** 0.5
    assert abs(struck - 4000 * probability) < 4 * deviation


def test_never_and_always() -> None:
    assert all(fate == Fate() for fate in fates("empty@0"))
    assert all(fate.fault == Spoiled("empty") for fate in fates("empty@1"))


def test_the_seed_the_operation_and_the_number_decide() -> None:
    first = fates("empty@0.5")
    assert fates("empty@0.5") == first
    for others in (fates("empty@0.5", seed=2), fates("empty@0.5", operation="iam")):
        agreeing = sum(one == other for one, other in zip(first, others, strict=True))
        assert 1800 < agreeing < 2200


def test_draws_do_not_change_between_versions() -> None:
    """Golden: a seed that a test suite relies on must go on meaning the same."""
    struck = [number for number, fate in enumerate(fates("empty@0.2", 30, seed=7)) if fate.fault]
    assert struck == [3, 4, 5, 11, 18, 22, 29]
    assert Occurrence(7, "defog", 0).draw("rule 0") == pytest.approx(0.9058453303799232, abs=1e-15)


def test_rules_are_drawn_independently() -> None:
    both = sum(fate.delay > 0 and fate.fault is not None for fate in fates("latency=1@0.5; empty@0.5"))
    assert 850 < both < 1150


def test_a_higher_probability_strikes_the_same_calls_and_more() -> None:
    few, many = fates("empty@0.1"), fates("empty@0.3")
    assert all(more.fault for fewer, more in zip(few, many, strict=True) if fewer.fault)


def test_latencies_add_up_and_the_first_other_fault_strikes() -> None:
    (fate,) = fates("latency=1; malformed; latency=2; empty; iam: latency=4", 1)
    assert fate == Fate(3.0, Spoiled("malformed"))
    assert fates("iam: empty; truncated", 1) == [Fate(0.0, Spoiled("truncated"))]


def test_latencies_are_spread_over_their_range() -> None:
    for rule in ("latency=0.5-1.5", "latency=0.5-1.5@50%"):  # how late does not depend on whether
        delays = [fate.delay for fate in fates(rule) if fate.delay]
        assert 0.5 <= min(delays) < 0.51
        assert 1.49 < max(delays) <= 1.5
        assert sum(delays) / len(delays) == pytest.approx(1.0, abs=0.02)


async def test_calls_are_counted_by_operation_whatever_comes_between(start) -> None:
    async def struck(paths: list[str]) -> dict[str, list[int]]:
        statuses: dict[str, list[int]] = {path: [] for path in ("/defog", "/image-tagging")}
        async with start(inject="error=AIP.0500@0.5", seed=3) as client:
            for path in paths:
                status, _, _ = await post(client, path)
                if path in statuses:
                    statuses[path].append(status)
        return statuses

    apart = await struck(["/defog"] * 12 + ["/image-tagging"] * 12)
    mixed = await struck(["/image-tagging", "/health", "/defog"] * 12)
    assert apart == mixed
    assert apart["/defog"] != apart["/image-tagging"]
    assert set(apart["/defog"]) == {200, 500}


# What it looks like.


async def test_without_faults_nothing_changes(start, face) -> None:
    async with start() as client:
        assert (await post(client, fault="empty; nonsense"))[::2] == (200, BODY)  # the header is not obeyed
    assert face.slept == []


async def test_only_what_has_a_name_is_struck(start) -> None:
    async with start(inject="iam: error=AIS.0003; image-tagging: error=AIS.0206", header=True) as client:
        assert (await post(client, "/health", fault="empty; nonsense"))[::2] == (200, BODY)
        assert (await post(client, "/defog"))[0] == 200
        assert json.loads((await post(client, "/iam"))[2])["error_code"] == "AIS.0003"
        assert json.loads((await post(client, "/image-tagging"))[2])["error_code"] == "AIS.0206"


async def test_latency(start, face) -> None:
    async with start(inject="latency=0.5; latency=1-2") as client:
        assert (await post(client))[::2] == (200, BODY)
    (delay,) = face.slept
    assert 1.5 <= delay <= 2.5


async def test_throttles(start, face) -> None:
    async with start(inject="throttle=7") as client:
        status, headers, body = await post(client)
    assert (status, headers["Retry-After"], headers["X-Request-Id"]) == (429, "7", "r1")
    assert json.loads(body)["error_code"] == "APIG.0308"
    assert face.reached == 0


async def test_who_sends_a_long_body_is_told_as_well(start) -> None:
    async with start(inject="throttle") as client, client.post("/defog", data=io.BytesIO(bytes(4 << 20))) as response:
        assert (response.status, (await response.json())["error_code"]) == (429, "APIG.0308")


async def test_every_code_open_and_hidden(start, face) -> None:
    async with start(header=True) as client:
        for code, (status, message) in CODES.items():
            expected = {"error_code": code, "error_msg": message}
            answered, headers, body = await post(client, fault=f"error={code}")
            assert (answered, json.loads(body), headers["X-Request-Id"]) == (status, expected, "r1")
            answered, headers, body = await post(client, fault=f"hidden-error={code}")
            assert (answered, json.loads(body), headers["Content-Type"]) == (200, expected, "application/json; charset=utf-8")
    assert face.reached == 0


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_the_page_of_a_proxy(start, face, status) -> None:
    async with start(inject=f"proxy={status}") as client:
        answered, headers, body = await post(client)
    assert (answered, headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert str(status).encode() in body
    assert face.reached == 0


async def test_spoiled_answers(start) -> None:
    async with start(header=True) as client:
        for fault, body, content_type in [
            ("truncated", BODY[: len(BODY) // 2], "application/json; charset=utf-8"),
            ("malformed", b"{" + BODY, "application/json; charset=utf-8"),
            ("empty", b"", "application/json; charset=utf-8"),
            ("wrong-type", BODY, "text/html; charset=utf-8"),
        ]:
            status, headers, answered = await post(client, fault=fault)
            assert (status, answered, headers["Content-Type"]) == (200, body, content_type)
            assert headers["Content-Length"] == str(len(body))
            assert headers["X-Request-Id"] == "r1"
            if fault != "wrong-type":
                with pytest.raises(ValueError, match=r"(Expecting|Unterminated)"):
                    json.loads(answered)


@pytest.mark.parametrize("fault", ["truncated", "malformed", "empty", "wrong-type", "reset=body", "reset=headers"])
async def test_refusals_are_not_spoiled(start, fault) -> None:
    async with start(inject=fault) as client:
        status, _, body = await post(client, **{"X-Auth-Token": "wrong"})
    assert (status, json.loads(body)["error_code"]) == (401, "APIG.0301")


async def read_all(client: TestClient, *, fault: str) -> tuple[bytes, bool]:
    """What a bare socket gets, and whether its connection was reset."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"POST /defog HTTP/1.1\r\nHost: x\r\nX-Fault: {fault}\r\nContent-Length: 0\r\n\r\n".encode())
    got = b""
    try:
        while chunk := await reader.read(65_536):
            got += chunk
    except ConnectionResetError:
        return got, True
    finally:
        writer.close()
    return got, False


async def test_resets(start, face) -> None:
    async with start(header=True) as client:
        assert await read_all(client, fault="reset=start") == (b"", True)
        assert (face.reached, face.slept) == (0, [])
        head, was_reset = await read_all(client, fault="reset=headers")
        assert was_reset
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert head.endswith(b"\r\n\r\n")
        assert f"Content-Length: {len(BODY)}\r\n".encode() in head
        assert b"X-Request-Id: r1\r\n" in head
        assert face.slept == [pytest.approx(0.05)]  # for the headers to arrive
        whole, was_reset = await read_all(client, fault="reset=body")
        assert was_reset
        assert whole.partition(b"\r\n\r\n")[2] == BODY[: len(BODY) // 2]
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(client, fault="reset=body")
        with pytest.raises(aiohttp.ClientOSError):
            await post(client, fault="reset=start")
        assert (await post(client))[::2] == (200, BODY)  # the server lives on


# The header.


async def test_the_header_goes_before_the_configuration(start) -> None:
    async with start(header=True, inject="error=AIS.0003") as client:
        assert (await post(client))[0] == 400
        assert (await post(client, fault="none"))[::2] == (200, BODY)
        assert (await post(client, fault=""))[::2] == (200, BODY)
        assert (await post(client, fault="empty@100%"))[::2] == (200, b"")
        async with client.post("/defog", headers=[(HEADER, "latency=1"), (HEADER, "throttle")]) as response:
            assert response.status == 429


async def test_the_header_is_struck_as_often_as_it_says(start) -> None:
    async with start(header=True, seed=5) as client:
        bodies = [(await post(client, fault="empty@0.5"))[2] for _ in range(40)]
    assert 8 < bodies.count(b"") < 32


@pytest.mark.parametrize(("fault", "told"), [("empty=3", "it must be empty"), ("defog: empty", "for this request only")])
async def test_a_header_that_is_no_fault_is_refused(start, face, fault, told) -> None:
    async with start(header=True) as client:
        status, _, body = await post(client, fault=fault)
    assert (status, json.loads(body)["error_code"]) == (400, "AIS.0012")
    assert told in json.loads(body)["error_msg"]
    assert HEADER in json.loads(body)["error_msg"]
    assert face.reached == 0


def test_the_operator_is_warned_at_the_start(caplog) -> None:
    fault_middleware(FaultSettings(header=True), OPERATIONS, lambda _: "")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "faults" in record.getMessage()


async def test_what_struck_is_logged_without_what_was_sent(start, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="gateway.rest.faults"):
        async with start(header=True) as client:
            await post(client, fault="empty", **{"X-Auth-Token": "s3cret"})
            await post(client)
    _, record = caplog.records
    assert "defog" in record.getMessage()
    assert "empty" in record.getMessage()
    assert "s3cret" not in record.getMessage()
