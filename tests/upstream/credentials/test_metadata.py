import json

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.metadata import TIMEOUT, MetadataKeys

SESSION = "PUT /meta-data/latest/api/token"
KEYS = "GET /openstack/latest/securitykey"
CREDENTIAL = {"access": "AK", "secret": "hunter2", "securitytoken": "hunter3", "expires_at": "2027-01-16T08:00:00.000000Z"}


@pytest.fixture
def source(cloud, clock) -> MetadataKeys:
    return MetadataKeys(cloud, "http://metadata.example", clock)


@pytest.fixture(autouse=True)
def served(cloud, reply) -> None:
    cloud.answers[SESSION] = lambda _: reply(200, b"session\n")
    cloud.answers[KEYS] = lambda sent: reply(
        200 if sent.headers.get("X-Metadata-Token") == "session" else 401, {"credential": CREDENTIAL}
    )


async def refusal(source) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await source.fetch()
    assert "hunter" not in str(caught.value)
    assert "example" not in str(caught.value)
    return caught.value


async def test_a_session_is_opened_first(source, cloud, clock) -> None:
    key = await source.fetch()
    assert (key.access_key, key.secret_key, key.security_token) == ("AK", "hunter2", "hunter3")
    assert (key.expires_at, key.renew_at) == (clock.now + 86_400, clock.now + 0.9 * 86_400)
    assert cloud.places() == [SESSION, KEYS]
    assert cloud.sent[0].headers == {"X-Metadata-Token-Ttl-Seconds": "60"}
    assert {sent.timeout for sent in cloud.sent} == {TIMEOUT}


@pytest.mark.parametrize("status", [404, 405, 503])
async def test_a_service_that_knows_no_sessions_is_asked_without(source, cloud, reply, status) -> None:
    cloud.answers[SESSION] = lambda _: reply(status, b"<html>")
    cloud.answers[KEYS] = lambda sent: reply(200 if "X-Metadata-Token" not in sent.headers else 401, {"credential": CREDENTIAL})
    assert (await source.fetch()).access_key == "AK"


@pytest.mark.parametrize(
    ("answered", "reason", "message"),
    [
        ((SESSION, 403, b""), Reason.UPSTREAM_AUTHENTICATION_FAILED, "opened no session"),
        ((SESSION, 200, b"a\r\nX-Evil: 1"), Reason.UPSTREAM_AUTHENTICATION_FAILED, "opened no session"),
        ((SESSION, 500, b""), Reason.UPSTREAM_UNAVAILABLE, "opened no session"),
        ((KEYS, 401, b""), Reason.UPSTREAM_AUTHENTICATION_FAILED, "has an agency been set"),
        ((KEYS, 404, b""), Reason.UPSTREAM_AUTHENTICATION_FAILED, "has an agency been set"),
        ((KEYS, 429, b""), Reason.UPSTREAM_UNAVAILABLE, "has an agency been set"),
        ((KEYS, 500, b""), Reason.UPSTREAM_UNAVAILABLE, "has an agency been set"),
        ((KEYS, 200, b"\xff"), Reason.UPSTREAM_AUTHENTICATION_FAILED, "no usable key"),
        ((KEYS, 200, b"<html>"), Reason.UPSTREAM_AUTHENTICATION_FAILED, "no usable key"),
        (
            (KEYS, 200, json.dumps({"credential": CREDENTIAL | {"expires_at": "2026-01-01T00:00:00Z"}}).encode()),
            Reason.UPSTREAM_AUTHENTICATION_FAILED,
            "no usable key",
        ),
    ],
)
async def test_what_goes_wrong_is_said(source, cloud, reply, answered, reason, message) -> None:
    place, status, body = answered
    cloud.answers[place] = lambda _: reply(status, body)
    error = await refusal(source)
    assert (error.reason, error.upstream.http_status) == (reason, status)
    assert message in error.message


async def test_outside_the_cloud_nobody_answers(source, cloud) -> None:
    cloud.answers[SESSION] = lambda _: GatewayError(Reason.UPSTREAM_TIMEOUT, "late")
    error = await refusal(source)
    assert error.reason is Reason.UPSTREAM_UNAVAILABLE
    assert "does this run on a machine of the cloud" in error.message
