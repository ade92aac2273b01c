"""Rules and dashboard: every metric that they name exists, every alert says what to do, and promtool takes the rules."""

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from gateway.config import GatewaySettings
from gateway.ops.log_level import LogLevel
from gateway.rpc.status import CODES
from gateway.server import built_gateway
from gateway.workers.pages import WorkersPages

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
TESTS = ROOT / "deploy" / "prometheus" / "alerts.test.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"

SETTINGS = {
    "provider": "cloud,local",
    "cloud": {"user": "someone", "domain": "account", "password": "unused", "region": "cn-east-3"},
}
_NAME = re.compile(r"\b(?:image_gateway|process)_\w+\b(?!:)")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def queries() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.fixture
async def live() -> set[str]:
    """The names of all samples that a gateway and a supervisor may show, from their own pages."""
    async with built_gateway(GatewaySettings.model_validate(SETTINGS)) as (_, registry):
        supervisor = CollectorRegistry()
        WorkersPages(list, 1, supervisor, dict, LogLevel())
        page = generate_latest(registry).decode() + generate_latest(supervisor).decode()
    kinds = re.findall(r"^# TYPE (\w+) (\w+)$", page, flags=re.MULTILINE)
    return {name + suffix for name, kind in kinds for suffix in _SUFFIXES.get(kind, ())}


async def test_every_metric_that_is_asked_for_exists(live) -> None:
    asked = {name for query in queries() for name in _NAME.findall(query)}
    assert len(asked) > 30
    assert asked <= live, asked - live


class Selector:
    """A counter in a rule, with what its labels must be."""

    def __init__(self, name: str, matchers: str) -> None:
        self.name = name
        self.alternatives = {label: pattern.split("|") for label, pattern in re.findall(r'(\w+)=~?"(.*?)"', matchers)}
        if "outcome" in self.alternatives and "(" in matchers:  # nested: the reasons that it takes
            pattern = re.search(r'outcome=~"(.*?)"', matchers)[1]
            self.alternatives["outcome"] = [reason for reason in CODES if re.fullmatch(pattern, reason)]

    def expected(self) -> Iterator[dict[str, str]]:
        """Labels of which there must be a series each."""
        values = dict(self.alternatives)
        if "tenant_class" in LABELS.get(self.name, ()):
            values["tenant_class"] = ["gold", "others"]
        if "code" in values:
            values["code"] = [code for code in values["code"] if code in {own.name for own in CODES.values()}]
        for chosen in itertools.product(*values.values()):
            yield dict(zip(values, chosen, strict=True))


LABELS = {
    "image_gateway_tenant_refusals_total": ("tenant_class", "limit"),
    "image_gateway_tenant_billable_calls_total": ("tenant_class",),
}


def counters() -> Iterator[Selector]:
    """All that alerts look at over time, but for the buckets of quantiles, which a single event does not change."""
    alerts = " ".join(rule["expr"] for rule in rules() if "alert" in rule)
    for rule in rules():
        if rule.get("record", "") not in alerts:  # nobody waits for its first event
            continue
        for name, matchers in re.findall(r"\b(image_gateway_\w+)(?:{(.*?)})?\[", rule["expr"]):
            if not name.endswith("_bucket"):
                yield Selector(name, matchers)


async def test_every_counter_that_alerts_ask_for_is_there_before_the_first_event(tmp_path) -> None:
    """Or `increase` and `rate` would miss that one."""
    tenants = tmp_path / "tenants.toml"
    tenants.write_text('[default]\nclass = "others"\n[[tenants]]\nname = "shop"\nclass = "gold"\n')
    access = {"authenticators": "api_key", "tenants_file": str(tenants)}
    async with built_gateway(GatewaySettings.model_validate(SETTINGS | {"access": access})) as (_, registry):
        samples = [sample for family in registry.collect() for sample in family.samples]
    asked = list(counters())
    assert len({selector.name for selector in asked}) >= 8
    for selector in asked:
        for labels in selector.expected():
            found = [one for one in samples if one.name == selector.name and labels.items() <= one.labels.items()]
            assert found, (selector.name, labels)
            assert all(one.value == 0 for one in found)


def test_every_recorded_name_that_is_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for query in queries() for name in re.findall(r"\bimage_gateway:\w+:\w+", query)}
    assert asked <= recorded


def test_items_fail_by_the_same_statuses_as_calls() -> None:
    """The statuses of one rule and the reasons of the other are held together by the table of the errors."""
    (calls,) = [rule["expr"] for rule in rules() if rule.get("record") == "image_gateway:rpc_faults:ratio_rate5m"]
    (items,) = [rule["expr"] for rule in rules() if rule.get("record") == "image_gateway:rpc_item_faults:ratio_rate5m"]
    statuses = re.search(r'code=~"(.*?)"', calls)[1].split("|")
    reasons = re.search(r'outcome=~"(.*?)"', items)[1]
    assert {reason for reason in CODES if re.fullmatch(reasons, reason)} == {
        reason for reason, code in CODES.items() if code.name in statuses
    }


def test_every_alert_says_what_to_do() -> None:
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "alerts.md").read_text(), flags=re.MULTILINE))
    alerts = [rule for rule in rules() if "alert" in rule]
    assert headings == {alert["alert"] for alert in alerts}
    for alert in alerts:
        assert alert["annotations"]["runbook_url"] == f"docs/alerts.md#{alert['alert'].lower()}"
        assert alert["annotations"]["summary"]
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """As far as its own checks of a provisioned file go: unique ids, places in the grid of 24, queries with a data source."""
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "instance"}
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] < grid["x"] + grid["w"] <= 24
        covered = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not covered & cells
        cells |= covered
    for panel in panels():
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references)) > 0
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"]
        labels = {name for target in panel["targets"] for name in re.findall(r"{{(\w+)}}", target["legendFormat"])}
        shown = " ".join(target["expr"] for target in panel["targets"])
        assert all(label in shown or " by " not in shown for label in labels), panel["title"]


@pytest.mark.parametrize("arguments", [("check", "rules", str(ALERTS)), ("test", "rules", str(TESTS))])
def test_promtool_takes_the_rules(arguments) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: it comes with the package prometheus); CI has it")
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
