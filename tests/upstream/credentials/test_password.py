import asyncio
import contextlib

import pytest

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.settings import CloudSettings

SIGN_IN = "POST /v3/auth/tokens"
REFUSED = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "expired", upstream=UpstreamDetail("APIG.0301", 401))
CALL = Outgoing("POST", "https://image.example/v2/p7/image/tagging", headers={"Content-Type": "application/json"}, body=b"{}")
SETTINGS = CloudSettings(user="ada", domain="acme", password="hunter2")


pytestmark = pytest.mark.usefixtures("issuing")


async def test_a_grant_is_the_token_s_header_and_project(cloud, clock) -> None:
    credential = opened_credential(SETTINGS, cloud, clock=clock)
    await credential.check()
    grants = await asyncio.gather(*(credential.grant() for _ in range(20)))
    assert {grant.project_id for grant in grants} == {"p7"}
    assert [grant.headers(CALL) for grant in grants] == [{"X-Auth-Token": "secret-1-" + "t" * 20_000}] * 20
    assert cloud.places() == [SIGN_IN]
    await credential.aclose()


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
