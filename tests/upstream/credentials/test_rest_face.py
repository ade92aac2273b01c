"""Every credential against the REST face, which checks tokens and signatures by code of its own."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.config import GatewaySettings
from gateway.errors import GatewayError, Reason
from gateway.rest.settings import RestSettings
from gateway.server import running_rest_face
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.credentials.protocol import Credential
from gateway.upstream.credentials.signer import signed
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.settings import CloudSettings
from gateway.upstream.transport import Transport

ACCOUNTS = """
[[domains]]
name = "acme"

[[domains.projects]]
name = "cn-east-3"
id = "p7"

[[domains.projects]]
name = "north"
id = "p8"

[[domains.projects]]
name = "south"
enabled = false

[[domains.users]]
name = "ada"
password = "hunter2"

[[domains.users.access_keys]]
access_key = "AK"
secret_key = "hunter3"
"""

PASSWORD = {"user": "ada", "domain": "acme", "password": "hunter2"}
KEYS = {"access_key": "AK", "secret_key": "hunter3"}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def face(tmp_path_factory) -> AsyncIterator[str]:
    """Its base URL."""
    accounts = tmp_path_factory.mktemp("face") / "accounts.toml"
    accounts.write_text(ACCOUNTS)
    async with running_rest_face(
        GatewaySettings(rest=RestSettings(listen="127.0.0.1:0", accounts_file=accounts, token_bytes=16_000))
    ) as address:
        yield f"http://{address}"


@pytest_asyncio.fixture(loop_scope="module")
async def transport() -> AsyncIterator[Transport]:
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=30, pool_size=2)) as opened:
        yield opened


def opened(face: str, transport: Transport, clock=time.time, environment=None, **settings) -> Credential:
    whole = CloudSettings(endpoint=face, iam_endpoint=face, **settings)
    return opened_credential(whole, transport, clock=clock, environment=environment or {})


async def called(face: str, transport: Transport, credential: Credential, picture: bytes, **headers: str) -> Attempt:
    """Tag a picture, with one more attempt if the credential thinks that this makes sense."""
    body = json.dumps({"image": base64.b64encode(picture).decode()}).encode()
    attempt = Attempt(Outcome.UNAUTHENTICATED)
    for _ in range(2):
        grant = await credential.grant()
        url = f"{face}/v2/{grant.project_id}/image/tagging"
        outgoing = Outgoing("POST", url, headers={"Content-Type": "application/json", **headers}, body=body)
        attempt = await transport.send(outgoing, grant.headers(outgoing))
        if attempt.outcome is not Outcome.UNAUTHENTICATED or not grant.refused(attempt.error, attempt.reply):
            return attempt
    return attempt


@pytest.mark.parametrize(
    ("settings", "environment", "project"),
    [
        (PASSWORD, {}, "p7"),
        (PASSWORD | {"project": "north"}, {}, "p8"),
        (PASSWORD | {"project_id": "p8"}, {}, "p8"),
        (KEYS, {}, "p7"),
        (KEYS | {"project": "north"}, {}, "p8"),
        (KEYS | {"project_id": "p8"}, {}, "p8"),
        ({"auth": "environment"}, {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "hunter3"}, "p7"),
    ],
)
async def test_a_call_is_taken(face, transport, dog, settings, environment, project) -> None:
    credential = opened(face, transport, environment=environment, **settings)
    await credential.check()
    assert (await credential.grant()).project_id == project
    assert (await called(face, transport, credential, dog)).outcome is Outcome.SUCCESS
    await credential.aclose()


async def test_a_temporary_key_as_the_identity_service_hands_it_out(face, transport, dog, tmp_path) -> None:
    file: Path = tmp_path / "keys.json"
    token = (await opened(face, transport, **PASSWORD).grant()).headers(Outgoing("GET", face))["X-Auth-Token"]
    assert len(token) >= 16_000
    identity = {"methods": ["token"], "token": {"id": token, "duration_seconds": 900}}
    outgoing = Outgoing(
        "POST",
        f"{face}/v3.0/OS-CREDENTIAL/securitytokens",
        headers={"Content-Type": "application/json"},
        body=json.dumps({"auth": {"identity": identity}}).encode(),
    )
    document = (await transport.send(outgoing, {})).reply.body
    await asyncio.to_thread(file.write_bytes, document)
    credential = opened(face, transport, auth="keys_file", keys_file=file)
    assert (await called(face, transport, credential, dog)).outcome is Outcome.SUCCESS
    grant = await credential.grant()
    assert grant.key.security_token
    assert grant.key.expires_at == pytest.approx(time.time() + 900, abs=60)


async def test_headers_beyond_ascii_and_with_white_space_arrive_as_they_were_signed(face, transport, dog) -> None:
    credential = opened(face, transport, **KEYS)
    notes = {"X-Note": "  a photograph: 图片 ü 🐈\u3000", "X_Unsigned": "a", "User-Agent": "somebody"}
    assert (await called(face, transport, credential, dog, **notes)).outcome is Outcome.SUCCESS


@pytest.mark.parametrize("wrong_by", [3600.0, -3600.0])
async def test_a_clock_that_is_wrong_by_an_hour_costs_one_attempt(face, transport, dog, wrong_by) -> None:
    def clock() -> float:
        return time.time() + wrong_by

    # The look-up of the project meets it first; or, with the id given, the call.
    for settings in (KEYS, KEYS | {"project_id": "p7"}):
        credential = opened(face, transport, clock=clock, **settings)
        assert (await called(face, transport, credential, dog)).outcome is Outcome.SUCCESS


async def test_a_wrong_secret_is_refused_and_not_repeated_without_end(face, transport, dog) -> None:
    credential = opened(face, transport, access_key="AK", secret_key="hunter4", project_id="p7")
    attempt = await called(face, transport, credential, dog)
    assert attempt.outcome is Outcome.UNAUTHENTICATED
    with pytest.raises(GatewayError) as caught:
        await opened(face, transport, access_key="AK", secret_key="hunter4").check()
    assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
    assert "hunter" not in f"{attempt.error}{caught.value}"


@pytest.mark.parametrize(("project", "complaint"), [("west", "no project"), ("south", "is disabled")])
async def test_a_project_that_cannot_be_called(face, transport, project, complaint) -> None:
    with pytest.raises(GatewayError, match=complaint) as caught:
        await opened(face, transport, project=project, **KEYS).check()
    assert caught.value.reason is Reason.UPSTREAM_PERMISSION_DENIED


async def test_a_query_arrives_as_it_was_signed(face, transport) -> None:
    outgoing = Outgoing(
        "GET",
        f"{face}/v3/projects",
        query=(("name", "cn-east-3"), ("b", "2"), ("a", "x y+z/~*'"), ("a", "图"), ("empty", "")),
        headers={"Content-Type": "application/json"},
    )
    attempt = await transport.send(outgoing, signed(outgoing, AccessKey("AK", "hunter3"), time.time()))
    assert attempt.reply.status == 200
    changed = replace(outgoing, query=(("name", "north"),))
    attempt = await transport.send(changed, signed(outgoing, AccessKey("AK", "hunter3"), time.time()))
    assert attempt.reply.status == 401
