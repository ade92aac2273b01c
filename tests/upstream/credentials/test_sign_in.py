import json
import time

import pytest
from multidict import CIMultiDict

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.sign_in import PasswordSignIn
from gateway.upstream.outcome import Attempt
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.settings import CloudSettings
from gateway.upstream.verdict import classify

NOW = 1_800_000_000.0
TOKEN = {"issued_at": "2027-01-15T08:00:00.000000Z", "expires_at": "2027-01-16T08:00:00.000000Z", "project": {"id": "p"}}


class Wire:
    """Stands for the transport: keeps the request, gives one reply."""

    def __init__(self, status: int = 201, body: object = None, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body or {"token": TOKEN}).encode()
        named = {"X-Subject-Token": "value", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.reply = HttpReply(status, CIMultiDict(named), content)
        self.sent: list[tuple[str, dict, dict]] = []

    async def send(self, outgoing: Outgoing, headers: dict, *, timeout: float | None = None) -> Attempt:
        assert outgoing.method == "POST"
        self.sent.append((str(outgoing.target), {**outgoing.headers, **headers}, json.loads(outgoing.body)))
        return classify(self.reply)


def sign_in(wire: Wire, **settings: object) -> PasswordSignIn:
    given = {"user": "ada", "domain": "acme", "password": "hunter2"} | settings
    return PasswordSignIn(wire, CloudSettings(**given), CloudClock(lambda: NOW))


@pytest.mark.parametrize(
    ("settings", "project"),
    [
        ({}, {"name": "cn-east-3"}),
        ({"region": "cn-north-4"}, {"name": "cn-north-4"}),
        ({"project": "mine"}, {"name": "mine"}),
        ({"project": "mine", "project_id": "abc"}, {"id": "abc"}),
    ],
)
async def test_the_request_is_the_contract_s_scoped_to_a_project(settings, project) -> None:
    wire = Wire()
    await sign_in(wire, **settings).fetch()
    ((url, headers, document),) = wire.sent
    assert url == f"https://iam.{settings.get('region', 'cn-east-3')}.myhuaweicloud.com/v3/auth/tokens?nocatalog=true"
    assert headers == {"Content-Type": "application/json"}
    user = {"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    assert document == {"auth": {"identity": identity, "scope": {"project": project}}}


async def test_the_token_is_read() -> None:
    token = await sign_in(Wire()).fetch()
    assert (token.value, token.project_id, token.issued_at, token.expires_at) == ("value", "p", NOW, NOW + 86_400)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T08:00:01Z", 1.0),
        ("2027-01-15T08:00:01.5Z", 1.5),
        ("2027-01-15T08:00:01.500000", 1.5),
        ("2027-01-15T10:00:01+02:00", 1.0),
    ],
)
async def test_times_come_in_several_forms(text, seconds, monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")  # where this runs has no say
    time.tzset()
    token = await sign_in(Wire(body={"token": TOKEN | {"expires_at": text}})).fetch()
    monkeypatch.undo()
    time.tzset()
    assert token.expires_at == NOW + seconds


async def test_without_a_time_of_issue_it_was_issued_now() -> None:
    body = {"token": {name: value for name, value in TOKEN.items() if name != "issued_at"}}
    assert (await sign_in(Wire(body=body)).fetch()).issued_at == NOW


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.UPSTREAM_AUTHENTICATION_FAILED),
        (401, Reason.UPSTREAM_AUTHENTICATION_FAILED),
        (403, Reason.UPSTREAM_AUTHENTICATION_FAILED),
        (404, Reason.UPSTREAM_AUTHENTICATION_FAILED),
        (429, Reason.UPSTREAM_THROTTLED),
        (500, Reason.UPSTREAM_UNAVAILABLE),
        (503, Reason.UPSTREAM_UNAVAILABLE),
        (200, Reason.UPSTREAM_BAD_RESPONSE),
        (302, Reason.UPSTREAM_BAD_RESPONSE),
    ],
)
async def test_a_refusal_is_told_without_quoting_it(status, reason) -> None:
    wire = Wire(status, b'{"error": "hunter2"}', X_Request_Id="abc")
    with pytest.raises(GatewayError) as caught:
        await sign_in(wire).fetch()
    error = caught.value
    assert (error.reason, error.upstream.http_status, error.upstream.request_id) == (reason, status, "abc")
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"[" * 100_000,
        {"token": None},
        {"token": {name: value for name, value in TOKEN.items() if name != "project"}},  # what a domain's token looks like
        {"token": {name: value for name, value in TOKEN.items() if name != "expires_at"}},
        {"token": TOKEN | {"expires_at": "tomorrow"}},
        {"token": TOKEN | {"expires_at": 7}},
        {"token": TOKEN | {"project": {"id": ""}}},
        {"token": TOKEN | {"project": {"id": 7}}},
        {"token": TOKEN | {"project": {"id": "../v3"}}},
    ],
)
async def test_a_reply_that_lacks_something(body) -> None:
    with pytest.raises(GatewayError, match="is the scope a project") as caught:
        await sign_in(Wire(body=body)).fetch()
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE


async def test_a_reply_without_the_token_s_header() -> None:
    with pytest.raises(GatewayError) as caught:
        await sign_in(Wire(X_Subject_Token="")).fetch()
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE


async def test_the_password_file_is_read_for_every_token(tmp_path) -> None:
    file = tmp_path / "password"
    wire = Wire()
    fetching = sign_in(wire, password=None, password_file=file)
    for password in ("first", "second"):
        file.write_text(password)
        await fetching.fetch()
        assert wire.sent[-1][2]["auth"]["identity"]["password"]["user"]["password"] == password
    file.unlink()
    with pytest.raises(GatewayError, match="cannot be read") as caught:
        await fetching.fetch()
    assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
    assert str(tmp_path) not in str(caught.value)


async def test_by_a_clock_that_is_wrong_a_token_lasts_as_long() -> None:
    """Else every token would look expired to a clock that is ahead, and each call would sign in."""
    wire = Wire(Date="Fri, 15 Jan 2027 08:00:00 GMT")
    clock = CloudClock(lambda: NOW + 80_000)
    signing_in = PasswordSignIn(wire, CloudSettings(user="ada", domain="acme", password="hunter2"), clock)
    token = await signing_in.fetch()
    assert token.expires_at - clock() == 86_400
