import json
import tomllib

import pytest

from gateway.cli.main import main
from gateway.config import declared_settings, load_settings

FILE = """
provider = "cloud"
[cloud]
user = "someone"
domain = "account"
password = "hunter2"
region = 'a "quoted" name'
endpoint = "https://image.example"
iam_endpoint = "https://iam.example"
[download]
allow = ["10.0.0.0/8", "store.internal:9000"]
[limit]
rate = 2.5
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    for variable in ("IMAGE_GATEWAY_CONFIG", "IMAGE_GATEWAY_LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "gateway.toml"
    file.write_text(FILE)
    file.chmod(0o600)
    return file


def test_check_says_yes_and_what_is_dangerous(file, capsys, monkeypatch) -> None:
    assert main(["config", "check", str(file)]) == 0
    assert capsys.readouterr() == ("the settings can be used\n", "")
    monkeypatch.setenv("IMAGE_GATEWAY_RETRY_LOST_REPLIES", "true")
    everywhere = ["config", "check", str(file), "--listen", "0.0.0.0:0"]
    assert main(everywhere) == 2
    assert "access.authenticators" in capsys.readouterr().err
    monkeypatch.setenv("IMAGE_GATEWAY_ACCESS_ALLOW_ANONYMOUS", "true")
    assert main(everywhere) == 0
    out, err = capsys.readouterr()
    assert out == "the settings can be used; 3 dangerous\n"
    assert [line.split()[1] for line in err.splitlines()] == ["listen", "listen", "retry.lost_replies:"]


def test_check_says_no_with_a_line_for_each_problem(file, capsys) -> None:
    file.write_text("lisen = 'x'\n[cloud]\ntimeout = 'x'\n")
    assert main(["config", "check", "--config", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"error: unknown setting lisen in {file}; did you mean listen?",
        f"error: setting cloud.timeout is 'x' (from {file}); it must be a number above 0 and up to 3600",
    ]
    file.write_text("provider = 'cloud'\n")
    assert main(["config", "check", str(file)]) == 2
    assert capsys.readouterr().err.startswith("error: settings of cloud: user, domain, ")


def test_show_can_be_used_again_and_keeps_secrets(file, capsys, tmp_path) -> None:
    assert main(["config", "show", str(file), "--all", "--region", "flag"]) == 0
    shown = capsys.readouterr().out
    assert "hunter2" not in shown
    assert 'region = "flag"  # the command line\n' in shown
    assert f"# password = (secret)  # {file}\n" in shown
    assert "# project is not set\n" in shown
    again = tmp_path / "again.toml"
    again.write_text(shown)
    wanted = load_settings({"cloud.region": "flag"}, {}, file)
    assert load_settings({"cloud.password": "hunter2"}, {}, again) == wanted
    assert {f"{room}.{name}" for room, table in tomllib.loads(shown).items() if room == "rpc" for name in table} == {
        setting.path for setting in declared_settings() if setting.room == "rpc" and setting.default is not None
    }


def test_show_without_all_is_what_was_given(file, capsys, monkeypatch) -> None:
    monkeypatch.setenv("IMAGE_GATEWAY_LOG_LEVEL", "debug")
    assert main(["config", "show", str(file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["log_level"] == {"value": "debug", "source": "environment variable IMAGE_GATEWAY_LOG_LEVEL"}
    assert shown["cloud.password"] == {"value": "(secret)", "source": str(file)}
    assert shown["limit.rate"] == {"value": 2.5, "source": str(file)}
    assert set(shown) == {
        "log_level",
        "provider",
        "download.allow",
        "limit.rate",
        *(f"cloud.{name}" for name in ("user", "domain", "password", "region", "endpoint", "iam_endpoint")),
    }


def test_show_of_everything_names_every_setting(file, capsys) -> None:
    assert main(["config", "show", str(file), "--json", "--all"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == [setting.path for setting in declared_settings()]
    assert shown["listen"] == {"value": "127.0.0.1:50051", "source": "default"}
    assert shown["rest.password"] == {"value": None, "source": "default"}


def test_show_of_wrong_settings(file, capsys) -> None:
    file.write_text("lisen = 'x'\n")
    assert main(["config", "show", str(file)]) == 2
    assert "did you mean listen?" in capsys.readouterr().err


def test_schema_is_json_schema(capsys) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")


def test_show_says_when_nothing_was_given(capsys) -> None:
    assert main(["config", "show"]) == 0
    assert capsys.readouterr().out == "# Every setting has its default; --all shows them.\n"
