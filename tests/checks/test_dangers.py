import pytest

from gateway.checks import check_settings
from gateway.config import load

PAIR = {"rpc.tls_certificate": "/x", "rpc.tls_key": "/y"}
CLOUD = {"provider": "cloud", "cloud.user": "someone", "cloud.domain": "account"}


def dangers(flags=None, environment=None, file=None) -> list[str]:
    return check_settings(load(flags or {}, environment or {}, file), {})[1]


def test_the_defaults_are_not_dangerous() -> None:
    assert dangers() == []


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ({"listen": "0.0.0.0:1"}, "listen is 0.0.0.0:1 without TLS"),
        (PAIR | {"listen": "0.0.0.0:1", "access.allow_anonymous": "true"}, "listen is 0.0.0.0:1 with access.allow_anonymous"),
        ({"ops.listen": "[::]:1"}, "ops.listen is [::]:1: whoever"),
        ({"ops.rest_listen": "[::]:1"}, "ops.rest_listen is [::]:1: whoever"),
        ({"listen": "127.0.0.1:8600"}, "listen and rest.listen are both at port 8600"),
        ({"listen": "127.0.0.1:7", "ops.rest_listen": "7"}, "listen and ops.rest_listen are both at port 7"),
        ({"ops.listen": "7", "rest.listen": "127.0.0.1:7"}, "ops.listen and rest.listen are both at port 7"),
        ({"ops.listen": "7", "ops.rest_listen": "7"}, "ops.listen and ops.rest_listen are both at port 7"),
        ({"rest.listen": "10.0.0.1:1"}, "rest.listen is 10.0.0.1:1 without TLS"),
        ({"download.allow_private": "true"}, "download.allow_private: callers can"),
        (CLOUD | {"cloud.endpoint": "http://image.example"}, "cloud.endpoint is http://image.example: credentials"),
        (CLOUD | {"cloud.iam_endpoint": "http://iam.example"}, "cloud.iam_endpoint is http://iam.example: credentials"),
        (CLOUD | {"prepare.strip_metadata": "false"}, "prepare.strip_metadata is off"),
        ({"retry.lost_replies": "true"}, "retry.lost_replies: a call"),
        ({"hedge.after": "1"}, "hedge.after: a slow call"),
        ({"faults.header": "true"}, "faults are on"),
        ({"faults.inject": "latency=1@1%"}, "faults are on"),
        ({"record.mode": "record", "record.folder": "/x"}, "record.mode is record: pictures of callers"),
        ({"limit.burst": "5"}, "limit.burst has no effect without limit.rate"),
        ({"retry.base_delay": "60"}, "retry.base_delay is over retry.max_delay"),
        ({"breaker.max_pause": "1"}, "breaker.pause is over breaker.max_pause"),
        ({"cloud.timeout": "1"}, "cloud.connect_timeout is over cloud.timeout"),
        ({"redis.url": "redis://h"}, "redis.url is set, but nothing is kept there"),
        ({"breadth.python": "/bin/sh"}, "breadth.python has no effect"),
    ],
)
def test_each_is_told_by_name(given, begins) -> None:
    found = dangers(environment={f"IMAGE_GATEWAY_{path.upper().replace('.', '_')}": value for path, value in given.items()})
    assert [danger[: len(begins)] for danger in found] == [begins]


def test_a_hedge_that_comes_too_late() -> None:
    assert dangers({"hedge.after": "40"})[1].startswith("hedge.after is not under cloud.timeout")


@pytest.mark.parametrize("given", [{"listen": "127.0.0.1:1"}, {"listen": "[::1]:1"}, {"ops.listen": "localhost:1"}])
def test_this_machine_alone_is_safe(given) -> None:
    assert dangers(given) == []


@pytest.mark.parametrize("path", ["cloud.password_file", "cloud.security_token_file", "rest.password_file", "rest.accounts_file"])
def test_a_secret_that_others_can_read(tmp_path, path) -> None:
    file = tmp_path / "secret"
    file.write_text("hunter2")
    file.chmod(0o640)
    assert dangers({path: str(file)}) == []
    file.chmod(0o644)
    assert dangers({path: str(file)}) == [f"{path}: {file} can be read by every user of this machine; chmod o-r it"]


@pytest.mark.parametrize(("algorithms", "is_secret"), [("ES256,HS256", True), ("ES256", False)])
def test_keys_that_sign_as_well_as_check_are_secret(tmp_path, algorithms, is_secret) -> None:
    file = tmp_path / "keys.json"
    file.write_text("{}")
    file.chmod(0o604)
    given = {"access.jwt_keys": str(file), "access.jwt_algorithms": algorithms}
    told = [f"access.jwt_keys: {file} can be read by every user of this machine; chmod o-r it"]
    assert dangers(given) == (told if is_secret else [])
    file.chmod(0o640)
    assert dangers(given) == []


def test_a_secret_in_a_file_of_settings_and_on_the_command_line(tmp_path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[cloud]\npassword = 'hunter2'\n")
    file.chmod(0o600)
    assert dangers(file=file) == []
    file.chmod(0o604)
    assert dangers(file=file) == [f"cloud.password stands in {file}, which can be read by every user of this machine"]
    assert dangers({"rest.password": "hunter2"}) == [
        "rest.password was given on the command line, where every user of this machine can see it; use rest.password_file"
    ]
    assert dangers(environment={"IMAGE_GATEWAY_CLOUD_PASSWORD": "hunter2"}) == []
