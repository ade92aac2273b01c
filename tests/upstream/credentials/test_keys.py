import asyncio
import json

import pytest

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.rest.verify import SignedRequest, read_signature, verify
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.credentials.key_sources import LOOK_AGAIN
from gateway.upstream.credentials.keys import ASKED_AGAIN_AFTER, KeysCredential
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.settings import CloudSettings

REFUSED = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "no", upstream=UpstreamDetail("APIG.0301", 401))
CALL = Outgoing("POST", "https://image.example/v2/p7/image/tagging", headers={"Content-Type": "application/json"}, body=b"{}")
KEYS = CloudSettings(access_key="AK", secret_key="hunter2")
PROJECTS = "GET /v3/projects"
NORTH = {"id": "p7", "name": "cn-east-3", "enabled": True}


def opened(cloud, clock, **settings) -> KeysCredential:
    return opened_credential(KEYS.model_copy(update=settings), cloud, clock=clock, sleep=clock.sleep)


def checked(outgoing: Outgoing, headers: dict, secret: str, now: float) -> str:
    """The access key of a request, whose signature is checked by the REST face's own code."""
    arrived = tuple((name.lower(), value) for name, value in {**outgoing.headers, **headers}.items())
    signature = read_signature(arrived, now)
    target = outgoing.target.raw_path_qs
    assert verify(SignedRequest(outgoing.method, target, arrived, outgoing.body), signature, secret)
    return signature.access_key


async def serves(credential: KeysCredential, access_key: str) -> bool:
    return (await credential.grant()).key.access_key == access_key


@pytest.fixture(autouse=True)
def iam(cloud, clock, reply) -> None:
    """Lists one project to whoever signs with the right secret."""

    def answer(sent):
        assert checked(sent.outgoing, sent.headers, "hunter2", clock.now) == "AK"
        return reply(200, {"projects": [NORTH]})

    cloud.answers[PROJECTS] = answer


async def test_every_attempt_is_signed_anew_and_says_its_project(cloud, clock) -> None:
    credential = opened(cloud, clock, project_id="p7")
    grant = await credential.grant()
    assert grant.project_id == "p7"
    dates = set()
    for _ in range(3):
        headers = grant.headers(CALL)
        assert checked(CALL, headers, "hunter2", clock.now) == "AK"
        assert headers["X-Project-Id"] == "p7"
        assert "x-project-id" in headers["Authorization"]
        assert "X-Security-Token" not in headers
        dates.add(headers["X-Sdk-Date"])
        clock.now += 1
    assert len(dates) == 3
    assert cloud.sent == []
    await credential.aclose()


async def test_a_temporary_key_sends_its_token(cloud, clock) -> None:
    temporary = KEYS.model_copy(update={"project_id": "p7"}).model_dump() | {"security_token": "hunter3"}
    grant = await opened_credential(CloudSettings(**temporary), cloud, clock=clock).grant()
    headers = grant.headers(CALL)
    assert headers["X-Security-Token"] == "hunter3"
    assert "x-security-token" in headers["Authorization"]
    assert checked(CALL, headers, "hunter2", clock.now) == "AK"


async def test_the_project_is_looked_up_once(cloud, clock) -> None:
    credential = opened(cloud, clock)
    grants = await asyncio.gather(*(credential.grant() for _ in range(20)))
    assert {grant.project_id for grant in grants} == {"p7"}
    clock.now += 1e7
    assert (await credential.grant()).project_id == "p7"
    assert cloud.places() == [PROJECTS]
    assert dict(cloud.sent[0].outgoing.query) == {"name": "cn-east-3"}
    assert "X-Project-Id" not in cloud.sent[0].headers


async def test_another_name_is_looked_up_if_it_is_set(cloud, clock, reply) -> None:
    cloud.answers[PROJECTS] = lambda sent: reply(200, {"projects": [NORTH | {"name": dict(sent.outgoing.query)["name"]}]})
    await opened(cloud, clock, project="mine").check()
    assert dict(cloud.sent[0].outgoing.query) == {"name": "mine"}


async def test_no_project_is_an_error_that_is_not_asked_for_over_and_over(cloud, clock, reply) -> None:
    cloud.answers[PROJECTS] = lambda _: reply(200, {"projects": []})
    credential = opened(cloud, clock)
    for _ in range(3):
        with pytest.raises(GatewayError, match=r"give cloud\.project") as caught:
            await credential.check()
        assert caught.value.reason is Reason.UPSTREAM_PERMISSION_DENIED
    assert len(cloud.sent) == 1


@pytest.mark.parametrize(
    ("status", "reason", "asked"),
    [
        (401, Reason.UPSTREAM_AUTHENTICATION_FAILED, 2),  # a source may have another key
        (403, Reason.UPSTREAM_AUTHENTICATION_FAILED, 2),
        (429, Reason.UPSTREAM_THROTTLED, 3),
        (500, Reason.UPSTREAM_UNAVAILABLE, 3),
        (302, Reason.UPSTREAM_BAD_RESPONSE, 1),
    ],
)
async def test_a_refused_look_up(cloud, clock, reply, status, reason, asked) -> None:
    cloud.answers[PROJECTS] = lambda _: reply(status, b"hunter2")
    with pytest.raises(GatewayError) as caught:
        await opened(cloud, clock).check()
    assert caught.value.reason is reason
    assert "hunter2" not in str(caught.value)
    assert len(cloud.sent) == asked


async def test_a_wrong_clock_is_corrected_by_the_reply_and_once_only(cloud, clock, reply) -> None:
    true = clock.now
    clock.now += 3000
    credential = opened(cloud, clock, project_id="p7")
    grant = await credential.grant()
    assert grant.refused(REFUSED, reply(401, date=true))
    again = await credential.grant()
    assert checked(CALL, again.headers(CALL), "hunter2", true) == "AK"
    # With the right time it is refused still: the key is asked for once more, then no longer.
    assert again.refused(REFUSED, reply(401, date=true))
    assert not (await credential.grant()).refused(REFUSED, reply(401, date=true))


async def test_the_look_up_corrects_the_clock_too(cloud, clock, reply) -> None:
    true = clock.now
    clock.now -= 3000

    def answer(sent):
        try:
            checked(sent.outgoing, sent.headers, "hunter2", true)
        except Exception:  # noqa: BLE001  # signed at another time
            return reply(401, date=true)
        return reply(200, {"projects": [NORTH]})

    cloud.answers[PROJECTS] = answer
    assert (await opened(cloud, clock).grant()).project_id == "p7"
    assert len(cloud.sent) == 2


async def test_a_key_that_the_look_up_finds_refused_is_not_granted(cloud, clock, reply, tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"access": "AK1", "secret": "SK"}))

    def answer(sent):
        if "Access=AK1," in sent.headers["Authorization"]:
            file.write_text(json.dumps({"access": "AK2", "secret": "SK"}))
            return reply(401)
        return reply(200, {"projects": [NORTH]})

    cloud.answers[PROJECTS] = answer
    credential = opened_credential(CloudSettings(auth="keys_file", keys_file=file), cloud, clock=clock)
    grant = await credential.grant()
    assert (grant.key.access_key, grant.project_id) == ("AK2", "p7")


async def test_the_look_up_is_repeated_once_whatever_the_replies_say(cloud, clock, reply) -> None:
    cloud.answers[PROJECTS] = lambda _: reply(401, date=clock.now + 1000 * len(cloud.sent))
    with pytest.raises(GatewayError):
        await opened(cloud, clock).check()
    assert len(cloud.sent) == 2


async def test_a_file_that_changes_is_noticed_while_the_old_key_serves(cloud, clock, until, tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"access": "AK1", "secret": "SK", "project_id": "p7"}))
    credential = opened_credential(CloudSettings(auth="keys_file", keys_file=file), cloud, clock=clock)
    assert (await credential.grant()).key.access_key == "AK1"
    file.write_text(json.dumps({"access": "AK2", "secret": "SK", "project_id": "p8"}))
    assert (await credential.grant()).key.access_key == "AK1"
    clock.now += LOOK_AGAIN
    assert (await credential.grant()).key.access_key == "AK1"  # reads it meanwhile
    await until(lambda: serves(credential, "AK2"))
    grant = await credential.grant()
    assert (grant.key.access_key, grant.project_id) == ("AK2", "p8")
    assert cloud.sent == []


async def test_a_file_that_goes_leaves_the_last_key(cloud, clock, until, tmp_path, caplog) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"access": "AK", "secret": "SK", "project_id": "p7"}))
    credential = opened_credential(CloudSettings(auth="keys_file", keys_file=file), cloud, clock=clock)
    await credential.grant()
    file.unlink()
    clock.now += LOOK_AGAIN
    await credential.grant()

    async def is_told() -> bool:
        return bool(caplog.records)

    await until(is_told)
    assert (await credential.grant()).key.access_key == "AK"
    assert caplog.messages == ["no access key: the file of access keys cannot be read"]


async def test_a_refused_key_is_read_again_at_once(cloud, clock, reply, tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"access": "AK1", "secret": "SK", "project_id": "p7"}))
    credential = opened_credential(CloudSettings(auth="keys_file", keys_file=file), cloud, clock=clock)
    first = await credential.grant()
    file.write_text(json.dumps({"access": "AK2", "secret": "SK", "project_id": "p7"}))
    assert first.refused(REFUSED, reply(401))
    assert (await credential.grant()).key.access_key == "AK2"


async def test_all_calls_under_way_learn_of_another_key_or_time(cloud, clock, reply, tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"access": "AK1", "secret": "SK", "project_id": "p7"}))
    credential = opened_credential(CloudSettings(auth="keys_file", keys_file=file), cloud, clock=clock)
    grants = [await credential.grant() for _ in range(5)]
    file.write_text(json.dumps({"access": "AK2", "secret": "SK", "project_id": "p7"}))
    assert [grant.refused(REFUSED, reply(401)) for grant in grants[:3]] == [True] * 3
    assert (await credential.grant()).key.access_key == "AK2"
    assert [grant.refused(REFUSED, reply(401)) for grant in grants[3:]] == [True] * 2

    grants = [await credential.grant() for _ in range(5)]
    assert [grant.refused(REFUSED, reply(401, date=clock.now + 3000)) for grant in grants] == [True] * 5
    assert credential._keys.value.access_key == "AK2"  # which was not to blame


class Source:
    """Hands out the same key."""

    def __init__(self) -> None:
        self.fetches = 0

    async def fetch(self) -> AccessKey:
        self.fetches += 1
        return AccessKey("AK", "SK", project_id="p7")


async def test_a_source_without_another_key_is_asked_rarely_and_holds_nobody_up(cloud, clock, cloud_clock, reply) -> None:
    source = Source()
    credential = KeysCredential(source, cloud, KEYS, cloud_clock)
    worth = []
    for _ in range(3):
        worth += [(await credential.grant()).refused(REFUSED, reply(401)) for _ in range(3)]
        clock.now += ASKED_AGAIN_AFTER
    assert worth == [True, False, False] * 3
    assert source.fetches == 4


async def test_keys_of_the_machine_are_renewed_ahead(cloud, clock, until, reply) -> None:
    def answer(_):
        names = {0.0: ("AK1", "2027-01-15T10:00:00Z"), 6500.0: ("AK2", "2027-01-15T14:00:00Z")}
        name, end = names[clock.now - 1_800_000_000.0]
        return reply(200, {"credential": {"access": name, "secret": "SK", "securitytoken": "token", "expires_at": end}})

    cloud.answers["GET /openstack/latest/securitykey"] = answer
    settings = CloudSettings(auth="metadata", project_id="p7")
    credential = opened_credential(settings, cloud, clock=clock)
    assert (await credential.grant()).key.access_key == "AK1"
    clock.now += 6500
    assert (await credential.grant()).key.access_key == "AK1"
    await until(lambda: serves(credential, "AK2"))
    assert cloud.sent[0].outgoing.url.startswith("http://169.254.169.254/")


async def test_nothing_secret_is_shown(cloud, clock, caplog) -> None:
    grant = await opened(cloud, clock, project_id="p7").grant()
    assert "hunter2" not in f"{grant!r}{grant.key!r}{KEYS!r}{caplog.text}"
