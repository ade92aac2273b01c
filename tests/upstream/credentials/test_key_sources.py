import asyncio
import json
import os

import pytest
from huaweicloudsdkcore.auth.provider import EnvCredentialProvider, ProfileCredentialProvider

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.key_sources import LOOK_AGAIN, EnvironmentKeys, FileKeys, SettingsKeys
from gateway.upstream.settings import CloudSettings

ENVIRONMENT = {
    "HUAWEICLOUD_SDK_AK": "AK",
    "HUAWEICLOUD_SDK_SK": "SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": "token",
    "HUAWEICLOUD_SDK_PROJECT_ID": "p7",
}


async def refusal(source) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await source.fetch()
    assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
    assert "hunter2" not in str(caught.value)
    return caught.value


async def test_the_settings_key(clock) -> None:
    settings = CloudSettings(access_key="AK", secret_key="SK", security_token="token")
    key = await SettingsKeys(settings, clock).fetch()
    assert (key.access_key, key.secret_key, key.security_token) == ("AK", "SK", "token")
    assert key.renew_at == key.expires_at == float("inf")


async def test_a_secret_in_a_file_is_read_again(clock, tmp_path) -> None:
    file = tmp_path / "secret"
    source = SettingsKeys(CloudSettings(access_key="AK", secret_key_file=file), clock)
    for secret in ("first", "second"):
        file.write_text(secret + "\n")
        key = await source.fetch()
        assert (key.secret_key, key.renew_at) == (secret, clock.now + LOOK_AGAIN)
    file.unlink()
    assert str(tmp_path) not in (await refusal(source)).message


async def test_a_file_is_read_again(clock, tmp_path) -> None:
    file = tmp_path / "keys.json"
    source = FileKeys(file, clock)
    assert str(tmp_path) not in (await refusal(source)).message
    for name in ("first", "second"):
        file.write_text(json.dumps({"access": name, "secret": "SK"}))
        key = await source.fetch()
        assert (key.access_key, key.renew_at) == (name, clock.now + LOOK_AGAIN)
    for damage in (b"\xff", b"hunter2", b""):
        file.write_bytes(damage)
        await refusal(source)


async def test_the_home_folder_has_its_short_name(clock, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "credentials").write_text("[basic]\nak=AK\nsk=SK\n")
    key = await FileKeys(CloudSettings(keys_file="~/credentials").keys_file, clock).fetch()
    assert key.access_key == "AK"


async def test_the_environment_is_read_as_the_vendor_s_sdk_reads_it(monkeypatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    theirs = EnvCredentialProvider.get_basic().get_credentials()
    key = await EnvironmentKeys().fetch()
    assert (key.access_key, key.secret_key, key.security_token, key.project_id) == (
        theirs.ak,
        theirs.sk,
        theirs.security_token,
        theirs.project_id,
    )


async def test_a_profile_is_read_as_the_vendor_s_sdk_reads_it(clock, monkeypatch, tmp_path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[basic]\nak = AK\nsk = SK\nsecurity_token = token\nproject_id = p7\n")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(file))
    theirs = ProfileCredentialProvider.get_basic().get_credentials()
    key = await FileKeys(file, clock).fetch()
    assert (key.access_key, key.secret_key, key.security_token, key.project_id) == (
        theirs.ak,
        theirs.sk,
        theirs.security_token,
        theirs.project_id,
    )


@pytest.mark.parametrize("missing", ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"])
async def test_an_environment_that_lacks_something(missing) -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    await refusal(EnvironmentKeys(environment))
    assert (await EnvironmentKeys({"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "SK"}).fetch()).security_token == ""


async def test_what_no_header_can_carry_is_refused(clock) -> None:
    await refusal(EnvironmentKeys(ENVIRONMENT | {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "hunter2\n"}))
    await refusal(EnvironmentKeys(ENVIRONMENT | {"HUAWEICLOUD_SDK_PROJECT_ID": "../hunter2"}))
    await refusal(SettingsKeys(CloudSettings(access_key="AK", secret_key="SK", security_token="hunter2\n"), clock))


async def test_files_are_read_off_the_loop(clock, tmp_path) -> None:
    """A FIFO without a writer blocks whoever opens it, as a shared volume may; the loop goes on."""

    fifo = tmp_path / "keys"
    os.mkfifo(fifo)
    reading = asyncio.create_task(FileKeys(fifo, clock).fetch())
    await asyncio.sleep(0.02)
    assert not reading.done()
    await asyncio.to_thread(fifo.write_text, '{"ak": "AK", "sk": "SK"}')
    assert (await reading).access_key == "AK"
