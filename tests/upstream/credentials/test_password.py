import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.settings import CloudSettings

SIGN_IN = "POST /v3/auth/tokens"
REFUSED = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "expired", upstream=UpstreamDetail("APIG.0301", 401))
CALL = Outgoing("POST", "https://image.example/v2/p7/image/tagging", headers={"Content-Type": "application/json"}, body=b"{}")
SETTINGS = CloudSettings(user="ada", domain="acme", password="hunter2")


@pytest.fixture(autouse=True)
def sign_ins(cloud, clock, reply):
    """Each sign-in gets the next token: of 20 000 characters, as of services with many roles."""

    def answer(_):
        issued_at, expires_at = (datetime.fromtimestamp(clock.now + after, UTC) for after in (0, 86_400))
        token = {
            "issued_at": issued_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "project": {"id": "p7"},
        }
        return reply(201, {"token": token}, X_Subject_Token=f"secret-{cloud.places().count(SIGN_IN)}-" + "t" * 20_000)

    cloud.answers[SIGN_IN] = answer


async def test_a_grant_is_the_token_s_header_and_project(cloud, clock) -> None:
    credential = opened_credential(SETTINGS, cloud, clock=clock)
    await credential.check()
    grants = await asyncio.gather(*(credential.grant() for _ in range(20)))
    assert {grant.project_id for grant in grants} == {"p7"}
    assert [grant.headers(CALL) for grant in grants] == [{"X-Auth-Token": "secret-1-" + "t" * 20_000}] * 20
    assert cloud.places() == [SIGN_IN]
    await credential.aclose()


async def test_a_refused_token_is_replaced_once(cloud, clock, reply) -> None:
    credential = opened_credential(SETTINGS, cloud, clock=clock)
    first = await credential.grant()
    other = await credential.grant()
    assert first.refused(REFUSED, reply(401))
    second = await credential.grant()
    assert second.headers(CALL)["X-Auth-Token"].startswith("secret-2-")
    assert other.refused(REFUSED, reply(401))  # of the same old token: the new one stays
    assert (await credential.grant()).headers(CALL) == second.headers(CALL)
    assert not second.refused(REFUSED, reply(401))
    with pytest.raises(GatewayError) as caught:
        await credential.grant()
    assert (caught.value.reason, caught.value.retry_after) == (REFUSED.reason, 5.0)
    assert cloud.places() == [SIGN_IN] * 2


async def test_replicas_share_a_token_and_none_takes_a_refused_one(cloud, clock, reply, tmp_path) -> None:
    settings = SETTINGS.model_copy(update={"token_store": tmp_path})
    replicas = [opened_credential(settings, cloud, clock=clock) for _ in range(3)]
    grants = await asyncio.gather(*(replica.grant() for replica in replicas))
    assert len({grant.headers(CALL)["X-Auth-Token"] for grant in grants}) == 1
    assert cloud.places() == [SIGN_IN]
    for replica, grant in zip(replicas, grants, strict=True):
        assert grant.refused(REFUSED, reply(401))
        assert (await replica.grant()).headers(CALL)["X-Auth-Token"].startswith("secret-2-")
    assert cloud.places() == [SIGN_IN] * 2
    other = opened_credential(settings.model_copy(update={"user": "bob"}), cloud, clock=clock)
    assert (await other.grant()).headers(CALL)["X-Auth-Token"].startswith("secret-3-")


async def test_a_renewal_in_one_replica_serves_the_others(cloud, clock, tmp_path) -> None:
    settings = SETTINGS.model_copy(update={"token_store": tmp_path})
    for after in (0, 80_000):
        clock.now += after
        for _ in range(2):
            credential = opened_credential(settings, cloud, clock=clock)
            async with contextlib.aclosing(credential):
                await credential.grant()
    assert cloud.places() == [SIGN_IN] * 2


async def test_a_wrong_password_is_told_without_it(cloud, clock, reply, caplog) -> None:
    cloud.answers[SIGN_IN] = lambda sent: reply(401, sent.document)
    credential = opened_credential(SETTINGS, cloud, clock=clock)
    with pytest.raises(GatewayError) as caught:
        await credential.check()
    assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
    assert "hunter2" not in f"{caught.value}{caught.value!r}{caplog.text}"


async def test_nothing_secret_is_in_a_grant_s_repr(cloud, clock) -> None:
    grant = await opened_credential(SETTINGS, cloud, clock=clock).grant()
    assert "secret-1" not in repr(grant)
    assert "hunter2" not in repr(grant)
