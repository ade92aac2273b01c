import pytest
from pydantic import ValidationError

from gateway.upstream.settings import CloudSettings, DownloadSettings

COMPLETE = {"user": "u", "domain": "d", "password": "p"}
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


@pytest.mark.parametrize(
    ("left_out", "added", "named"),
    [
        ("user", {}, "user"),
        ("domain", {}, "domain"),
        ("password", {}, "exactly one of password and password_file"),
        ("", {"password_file": "/nowhere"}, "exactly one of password and password_file"),
    ],
)
def test_what_is_missing_is_named(left_out, added, named) -> None:
    CloudSettings(**COMPLETE).check_complete()
    given = {name: value for name, value in COMPLETE.items() if name != left_out} | added
    with pytest.raises(ValueError, match=rf"^{named}: needed when provider is 'cloud'$"):
        CloudSettings(**given).check_complete()


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="user, domain, exactly one of"):
        CloudSettings().check_complete()


def test_a_password_file_is_read_anew_each_time_without_its_line_end(tmp_path) -> None:
    file = tmp_path / "password"
    settings = CloudSettings(user="u", domain="d", password_file=file)
    file.write_bytes(b" first \r\n")
    settings.check_complete()
    assert settings.read_password() == " first "
    file.write_text("пароль\n", encoding="utf-8")
    assert settings.read_password() == "пароль"


@pytest.mark.parametrize(("content", "complaint"), [(None, "cannot be read"), (b"\xff", "cannot be read"), (b"\n", "is empty")])
def test_a_password_file_that_cannot_be_used_is_named(tmp_path, content, complaint) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    settings = CloudSettings(user="u", domain="d", password_file=file)
    with pytest.raises(ValueError, match=complaint) as caught:
        settings.check_complete()
    assert str(caught.value).startswith(f"password_file: {file} ")


def test_by_default_a_download_may_be_as_large_as_a_message_and_stays_outside() -> None:
    settings = DownloadSettings()
    assert settings.max_bytes == 16 << 20
    assert not settings.allow_private


@pytest.mark.parametrize("given", [{"timeout": 0}, {"timeout": float("nan")}, {"max_redirects": -1}, {"max_bytes": 0}])
def test_limits_cannot_be_switched_off(given) -> None:
    with pytest.raises(ValidationError):
        DownloadSettings(**given)
