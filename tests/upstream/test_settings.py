import pytest
from pydantic import ValidationError

from gateway.upstream.settings import CloudSettings, DownloadSettings

COMPLETE = {"user": "u", "domain": "d", "password": "p"}
KEYS = {"access_key": "AK", "secret_key": "SK"}
OWN = {"endpoint": "http://image.example/", "iam_endpoint": "http://iam.example"}


@pytest.mark.parametrize(
    ("given", "image", "iam"),
    [
        ({}, "https://image.cn-east-3.myhuaweicloud.com", "https://iam.cn-east-3.myhuaweicloud.com"),
        ({"region": "cn-north-4"}, "https://image.cn-north-4.myhuaweicloud.com", "https://iam.cn-north-4.myhuaweicloud.com"),
        ({"endpoint": OWN["endpoint"]}, "http://image.example", "https://iam.cn-east-3.myhuaweicloud.com"),
        ({"iam_endpoint": OWN["iam_endpoint"]}, "https://image.cn-east-3.myhuaweicloud.com", "http://iam.example"),
        ({"region": "elsewhere", **OWN}, "http://image.example", "http://iam.example"),
    ],
)
def test_endpoints_are_the_region_s_unless_given(given, image, iam) -> None:
    endpoints = CloudSettings(**given).endpoints()
    assert (endpoints.image, endpoints.iam) == (image, iam)


@pytest.mark.parametrize("given", [{}, {"endpoint": OWN["endpoint"]}, {"iam_endpoint": OWN["iam_endpoint"]}])
def test_an_unknown_region_needs_both_endpoints(given) -> None:
    with pytest.raises(ValueError, match=r"'elsewhere' is not in the catalogue .*give endpoint and iam_endpoint"):
        CloudSettings(region="elsewhere", **given).check_complete()


@pytest.mark.parametrize("given", [{"project_id": "p7"}, {"project_id": "p7", "auth": "metadata"}])
def test_with_access_keys_and_a_project_id_there_is_no_need_for_an_identity_service(given) -> None:
    settings = CloudSettings(region="elsewhere", endpoint=OWN["endpoint"], **KEYS, **given)
    settings.check_complete()
    assert settings.endpoints().image == "http://image.example"
    with pytest.raises(ValueError, match="give endpoint and iam_endpoint"):
        CloudSettings(region="elsewhere", endpoint=OWN["endpoint"], **COMPLETE, **given | {"auth": "password"}).check_complete()


@pytest.mark.parametrize(
    ("given", "auth"),
    [
        ({}, "password"),
        (COMPLETE, "password"),
        (KEYS, "keys"),
        (COMPLETE | KEYS, "password"),
        (COMPLETE | KEYS | {"auth": "keys"}, "keys"),
        (COMPLETE | {"auth": "metadata"}, "metadata"),
    ],
)
def test_a_user_comes_before_an_access_key_unless_it_is_said(given, auth) -> None:
    assert CloudSettings(**given).chosen_auth == auth


@pytest.mark.parametrize(
    ("complete", "left_out", "added", "named"),
    [
        (COMPLETE, "user", {}, "user"),
        (COMPLETE, "domain", {}, "domain"),
        (COMPLETE, "password", {}, "password or password_file"),
        (KEYS, "access_key", {"auth": "keys"}, "access_key"),
        (KEYS, "secret_key", {}, "secret_key or secret_key_file"),
        ({"auth": "keys_file", "keys_file": __file__}, "keys_file", {}, "keys_file"),
    ],
)
def test_what_is_missing_is_named(complete, left_out, added, named) -> None:
    CloudSettings(**complete).check_complete()
    settings = CloudSettings(**{name: value for name, value in complete.items() if name != left_out} | added)
    expected = rf"^{named}: needed when provider is 'cloud' and auth is '{settings.chosen_auth}'$"
    with pytest.raises(ValueError, match=expected):
        settings.check_complete()


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="user, domain, password or password_file"):
        CloudSettings().check_complete()


def test_variables_count_as_settings() -> None:
    settings = CloudSettings(auth="environment")
    settings.check_complete({"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "SK"})
    with pytest.raises(ValueError, match=r"^environment variable HUAWEICLOUD_SDK_SK: needed"):
        settings.check_complete({"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": ""})


def test_the_metadata_service_needs_no_setting() -> None:
    CloudSettings(auth="metadata").check_complete({})


@pytest.mark.parametrize(
    "given",
    [{"access_key": "A K"}, {"access_key": ""}, {"project_id": "../p7"}, {"auth": "token"}, {"metadata_endpoint": "ftp://x"}],
)
def test_what_no_request_can_carry_is_refused(given) -> None:
    with pytest.raises(ValidationError):
        CloudSettings(**given)


def test_no_secret_is_shown() -> None:
    settings = CloudSettings(access_key="AK", secret_key="hunter2", security_token="hunter3", password="hunter4")
    assert "hunter" not in f"{settings!r}{settings}{settings.model_dump()}"


@pytest.mark.parametrize(
    ("name", "credentials"),
    [
        ("password", {"user": "u", "domain": "d"}),
        ("secret_key", {"access_key": "AK"}),
        ("security_token", {"access_key": "AK", "secret_key": "SK"}),
    ],
)
def test_a_secret_s_file_is_read_anew_each_time_without_its_line_end(tmp_path, name, credentials) -> None:
    file = tmp_path / "secret"
    settings = CloudSettings(**credentials, **{f"{name}_file": file})
    file.write_bytes(b" first \r\n")
    settings.check_complete()
    assert settings.secret(name) == " first "
    file.write_text("пароль\n", encoding="utf-8")
    assert settings.secret(name) == "пароль"


@pytest.mark.parametrize(
    ("name", "credentials"),
    [
        ("password_file", {"user": "u", "domain": "d"}),
        ("secret_key_file", {"access_key": "AK"}),
        ("security_token_file", {"access_key": "AK", "secret_key": "SK"}),
        ("keys_file", {"auth": "keys_file"}),
    ],
)
@pytest.mark.parametrize(("content", "complaint"), [(None, "cannot be read"), (b"\xff", "cannot be read"), (b"\n", "is empty")])
def test_a_secret_s_file_that_cannot_be_used_is_named(tmp_path, name, credentials, content, complaint) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    settings = CloudSettings(**credentials, **{name: file})
    with pytest.raises(ValueError, match=complaint) as caught:
        settings.check_complete()
    assert str(caught.value).startswith(f"{name}: {file} ")


def test_by_default_a_download_may_be_as_large_as_a_message_and_stays_outside() -> None:
    settings = DownloadSettings()
    assert settings.max_bytes == 16 << 20
    assert not settings.allow_private


@pytest.mark.parametrize("given", [{"timeout": 0}, {"timeout": float("nan")}, {"max_redirects": -1}, {"max_bytes": 0}])
def test_limits_cannot_be_switched_off(given) -> None:
    with pytest.raises(ValidationError):
        DownloadSettings(**given)
