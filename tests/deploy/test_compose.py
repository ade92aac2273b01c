import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.access.key_text import read_key
from gateway.access.tenants_file import load_roster
from gateway.config import load_settings

from .conftest import DEPLOY, output, tool

FILE = DEPLOY / "compose.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())["services"]


def test_it_is_what_compose_takes() -> None:
    """Loaded by Compose's own loader, with its schema, its interpolation and its checks of what refers to what."""
    project = json.loads(output(tool("DEPLOY_TEST_COMPOSE"), "-format", "json", os.fspath(FILE), cwd=DEPLOY))
    assert set(project["services"]) == {"gateway", "rest", "redis", "prometheus", "grafana"}
    mounted = [volume for service in project["services"].values() for volume in service.get("volumes", [])]
    files = [Path(volume["source"]) for volume in mounted if volume["type"] == "bind"]
    files += [DEPLOY / config["file"] for config in project["configs"].values()] + [DEPLOY / "prometheus/alerts.yaml"]
    assert [file for file in files if not file.exists()] == []


def test_every_service_is_hardened_checked_and_bounded(services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert name == "gateway" or "healthcheck" in service, name  # its image has one
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert ":latest" not in service["image"], name
        assert not any("PASSWORD" in variable and not variable.endswith("__FILE") for variable in service.get("environment", {}))


def test_no_port_of_an_internal_network_is_published(services) -> None:
    for name, service in services.items():
        assert not service.get("ports") or set(service["networks"]) != {"inside"}, name


@pytest.mark.parametrize("name", ["gateway", "rest"])
def test_the_gateway_takes_its_settings(name) -> None:
    settings = load_settings({}, {}, DEPLOY / "compose" / f"{name}.toml")
    assert settings.rest.listen == "0.0.0.0:8600" if name == "rest" else settings.redis.url


def test_prometheus_and_grafana_find_each_other() -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    assert prometheus["rule_files"] == ["alerts.yaml"]
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"


def test_the_first_key_opens(tmp_path) -> None:
    script = tmp_path / "compose" / "secrets.sh"
    script.parent.mkdir()
    script.write_bytes((DEPLOY / "compose/secrets.sh").read_bytes())
    output("sh", os.fspath(script))
    key = read_key((tmp_path / "secrets/api_key").read_text())
    assert key is not None
    (record,) = tomllib.loads((tmp_path / "secrets/tenants.toml").read_text())["tenants"][0]["keys"]
    assert (record["id"], record["hash"]) == (key.id, key.hash)
    assert load_roster(tmp_path / "secrets/tenants.toml").tenants.keys() == {"first"}


def test_secrets_are_read_by_who_needs_them(tmp_path) -> None:
    """Root gives them to the containers' users; anybody else cannot, and says so."""
    script = tmp_path / "compose" / "secrets.sh"
    script.parent.mkdir()
    script.write_bytes((DEPLOY / "compose/secrets.sh").read_bytes())
    done = subprocess.run(["/bin/sh", script], capture_output=True, text=True, timeout=60, check=True)
    files = {file.name: file.stat() for file in (tmp_path / "secrets").iterdir()}
    assert files.pop("api_key").st_mode & 0o777 == 0o600
    root = os.geteuid() == 0
    assert {stat.st_mode & 0o777 for stat in files.values()} == {0o640 if root else 0o644}
    assert ("readable by every user" in done.stderr) is not root
    if root:
        assert {name: (stat.st_uid, stat.st_gid) for name, stat in files.items()} == {
            "redis_password": (999, 10001),
            "tenants.toml": (0, 10001),
            "rest_accounts.toml": (0, 10001),
            "grafana_password": (472, 0),
        }


def test_secrets_are_made_once(tmp_path) -> None:
    script = tmp_path / "compose" / "secrets.sh"
    script.parent.mkdir()
    script.write_bytes((DEPLOY / "compose/secrets.sh").read_bytes())
    made = []
    for _ in range(2):
        output("sh", os.fspath(script))
        made.append({file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()})
    assert made[0] == made[1]
    secrets = yaml.safe_load(FILE.read_text())["secrets"].values()
    assert {f"./secrets/{name}" for name in made[0]} == {"./secrets/api_key"} | {secret["file"] for secret in secrets}
    assert len(set(made[0].values())) == len(made[0])
