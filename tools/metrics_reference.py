"""Writes docs/metrics.md: every metric of a gateway, from a gateway that is put together and not started.

Usage: python tools/metrics_reference.py [--check]. With --check nothing is written; the exit status is 1 if it is out of date.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric

from gateway.config import GatewaySettings
from gateway.ops.log_level import LogLevel
from gateway.server import built_gateway
from gateway.workers.pages import WorkersPages

FILE = Path(__file__).parents[1] / "docs" / "metrics.md"

HEAD = """\
<!-- Made by tools/metrics_reference.py from the code: change that, then run `make generate`. -->

# Metrics

Everything that `/metrics` of the operators' port shows ([observability.md](observability.md)). With `rpc.workers` over 1 each
sample has the label `worker` besides: a number from 0, or `supervisor`. Histograms have `_bucket`, `_sum`, `_count`. No label
takes values that callers choose: `tenant` is a name of the tenants file (in the cloud's counts at most 100), empty for calls of
nobody, or `other`.

| Metric | Kind | Labels | Meaning |
| --- | --- | --- | --- |
"""

SETTINGS = {
    "provider": "cloud,local",
    "cloud": {"user": "someone", "domain": "account", "password": "not asked for", "region": "cn-east-3"},
}


async def families() -> list[tuple[Metric, tuple[str, ...]]]:
    """Each family with its labels."""
    async with built_gateway(GatewaySettings.model_validate(SETTINGS)) as (_, registry):
        found = _families(registry)
        supervisor = CollectorRegistry()
        WorkersPages(list, 1, supervisor, dict, LogLevel())
        return sorted(found + _families(supervisor), key=lambda one: one[0].name)


def _families(registry: CollectorRegistry) -> list[tuple[Metric, tuple[str, ...]]]:
    labels: dict[str, tuple[str, ...]] = {}
    for collector in registry._collector_to_names:  # noqa: SLF001  # nothing public tells of labels without samples
        for family in collector.collect():
            own = getattr(collector, "_labelnames", None) or getattr(family, "_labelnames", ())
            shown = {name for sample in family.samples for name in sample.labels} - {"le"}
            labels[family.name] = tuple(own) or tuple(sorted(shown))
    return [(family, labels[family.name]) for family in registry.collect()]


def page() -> str:
    rows = []
    for family, labels in asyncio.run(families()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = ", ".join(f"`{label}`" for label in labels)
        rows.append(f"| `{name}` | {family.type} | {shown} | {family.documentation} |")
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = page()
    if not parser.parse_args().check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        print(f"docs/{FILE.name} is out of date: run make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
