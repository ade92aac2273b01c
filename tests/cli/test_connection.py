"""Files by which commands prove who they are: what cannot be used is said before anything is sent."""

import pytest

from gateway.cli.connection import opened_connection, tls_of
from gateway.cli.main import main
from gateway.client.settings import ClientSettings
from gateway.config import ConfigError

KEY = "igk_0123456789abcdef_secret"


def problem_of(**settings: object) -> str:
    with pytest.raises(ConfigError) as caught:
        opened_connection("127.0.0.1:1", ClientSettings(**settings))
    return str(caught.value)


@pytest.mark.parametrize("setting", ["api_key_file", "token_file"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (f"# The key:\n# {KEY}\n", "has 2 lines"),
        ("", "has 0 lines"),
        (f"# {KEY}", "holds spaces, or what is not ASCII"),
        ("schlüssel", "holds spaces, or what is not ASCII"),
        ("a\x07b", "holds spaces, or what is not ASCII"),
    ],
)
def test_a_file_holds_what_is_sent_and_nothing_else(tmp_path, setting, content, found) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    message = problem_of(**{setting: file})
    assert message.startswith(f"client.{setting}: {file} {found}; it must hold one ")
    assert "secret" not in message


@pytest.mark.parametrize("setting", ["api_key_file", "token_file", "ca_file"])
def test_a_file_that_is_not_there_is_named(tmp_path, setting) -> None:
    file = tmp_path / "none"
    assert problem_of(**{setting: file}) == f"client.{setting}: {file} cannot be read: No such file or directory"


def test_authorities_are_certificates(tmp_path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("a host's name")
    with pytest.raises(ConfigError, match=r"client\.ca_file: .* holds no certificate in PEM form"):
        tls_of(ClientSettings(ca_file=file))


@pytest.mark.parametrize("target", ["127.0.0.1", "http://127.0.0.1:50051", "host:port", "::1:50051", ""])
def test_a_target_is_a_host_and_a_port(capsys, target) -> None:
    with pytest.raises(SystemExit) as end:
        main(["health", "--target", target])
    assert end.value.code == 2
    assert f"{target!r} is not HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["localhost:1", "[::1]:1", "[fe80::1%eth0]:1", "dns:///localhost:1", "unix:/nowhere"])
def test_every_form_that_grpc_takes_is_taken(capsys, target) -> None:
    assert main(["health", "--target", target, "--timeout", "0.01"]) == 1
    assert "is not HOST:PORT" not in capsys.readouterr().err
