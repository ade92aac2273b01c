import pytest

from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_file import FileTokenStore
from gateway.upstream.settings import CloudSettings

PASSWORD = {"user": "ada", "domain": "acme", "password": "hunter2"}
VARIABLES = {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "SK"}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, "user, domain, password or password_file"),
        ({"auth": "keys"}, "access_key, secret_key or secret_key_file"),
        ({"auth": "keys_file"}, "keys_file"),
        ({"auth": "environment"}, "environment variable HUAWEICLOUD_SDK_AK, environment variable HUAWEICLOUD_SDK_SK"),
    ],
)
def test_all_that_is_missing_is_named_at_once(cloud, settings, complaint) -> None:
    with pytest.raises(ValueError, match=rf"^{complaint}: needed when provider is 'cloud' and auth is "):
        opened_credential(CloudSettings(**settings), cloud, environment={})


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        (PASSWORD, "X-Auth-Token"),
        (PASSWORD | {"access_key": "AK", "secret_key": "SK"}, "X-Auth-Token"),
        (PASSWORD | {"access_key": "AK", "secret_key": "SK", "auth": "keys"}, "Authorization"),
        ({"access_key": "AK", "secret_key": "SK"}, "Authorization"),
        (PASSWORD | {"auth": "environment"}, "Authorization"),
        (PASSWORD | {"auth": "metadata"}, "Authorization"),
    ],
)
async def test_the_settings_choose(cloud, clock, reply, settings, header) -> None:
    token = {"expires_at": "2027-01-16T08:00:00Z", "project": {"id": "p7"}}
    key = {"access": "AK", "secret": "SK", "securitytoken": "token", "expires_at": "2027-01-16T08:00:00Z"}
    cloud.answers |= {
        "POST /v3/auth/tokens": lambda _: reply(201, {"token": token}, X_Subject_Token="token"),
        "GET /openstack/latest/securitykey": lambda _: reply(200, {"credential": key}),
        "GET /v3/projects": lambda _: reply(200, {"projects": [{"id": "p7", "name": "cn-east-3"}]}),
    }
    credential = opened_credential(CloudSettings(**settings), cloud, clock=clock, environment=VARIABLES)
    grant = await credential.grant()
    assert header in grant.headers(cloud.sent[-1].outgoing)
    assert grant.project_id == "p7"


async def test_a_store_that_is_given_goes_before_the_folder(cloud, clock, tmp_path) -> None:
    store = FileTokenStore(tmp_path / "given", "account")
    await store.save(Token("kept", "p7", clock.now, clock.now + 86_400))
    settings = CloudSettings(**PASSWORD, token_store=tmp_path / "set")
    await opened_credential(settings, cloud, clock=clock, store=store).check()
    assert cloud.sent == []
