"""Writes deploy/grafana/dashboard.json: rows of panels, each a question that operators ask.

Usage: python tools/dashboard.py [--check]. With --check nothing is written; the exit status is 1 if the file is out of date.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboard.json"

P = "image_gateway"
SEEN = '{instance=~"$instance", method!~"grpc[.].*"}'
HERE = '{instance=~"$instance"}'


def rate(metric: str, by: str, selector: str = HERE) -> str:
    return f"sum by ({by}) (rate({metric}{selector}[$__rate_interval]))"


def some(query: str) -> str:
    """What there is of series that exist with 0 before anything happens, so that alerts see the first event."""
    return f"{query} > 0"


def quantile(q: float, metric: str, by: str, selector: str = HERE) -> str:
    return f"histogram_quantile({q}, sum by ({by}, le) (rate({metric}_bucket{selector}[$__rate_interval])))"


# Row → panels: title, unit, {legend: query}.
ROWS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "Calls": [
        ("Calls by method", "reqps", {"{{method}}": rate(f"{P}_rpc_handled_total", "method", SEEN)}),
        ("Calls by class of tenants", "reqps", {"{{tenant_class}}": rate(f"{P}_rpc_handled_total", "tenant_class", SEEN)}),
        (
            "Failures by status and reason",
            "reqps",
            {"{{code}} {{reason}}": rate(f"{P}_rpc_handled_total", "code, reason", SEEN.replace("}", ', code!="OK"}'))},
        ),
        (
            "Time of calls",
            "s",
            {
                "p50 {{method}}": quantile(0.5, f"{P}_rpc_duration_seconds", "method", SEEN),
                "p99 {{method}}": quantile(0.99, f"{P}_rpc_duration_seconds", "method", SEEN),
            },
        ),
        ("Items of streams and batches", "cps", {"{{outcome}}": some(rate(f"{P}_rpc_items_total", "outcome"))}),
        ("Time of items", "s", {"p99 {{method}}": quantile(0.99, f"{P}_rpc_item_duration_seconds", "method")}),
    ],
    "Saturation": [
        ("Calls under way", "short", {"{{method}}": f"sum by (method) ({P}_rpc_in_flight{SEEN})"}),
        (
            "Bytes of requests held",
            "bytes",
            {"held": f"sum({P}_rpc_held_bytes{HERE})", "limit": f"sum({P}_rpc_held_limit_bytes{HERE})"},
        ),
        (
            "Memory of decodes",
            "bytes",
            {"used": f"sum({P}_decode_memory_used_bytes{HERE})", "limit": f"sum({P}_decode_memory_limit_bytes{HERE})"},
        ),
        ("Resident memory", "bytes", {"{{instance}} {{worker}}": f"process_resident_memory_bytes{HERE}"}),
        ("CPU", "percentunit", {"{{instance}} {{worker}}": rate("process_cpu_seconds_total", "instance, worker")}),
        ("Event loop, late by", "s", {"p99": quantile(0.99, f"{P}_event_loop_lag_seconds", "instance")}),
    ],
    "Cloud": [
        ("Requests by outcome", "reqps", {"{{outcome}}": rate(f"{P}_cloud_attempts_total", "outcome")}),
        (
            "Time of requests",
            "s",
            {
                "p50 {{operation}}": quantile(0.5, f"{P}_cloud_attempt_seconds", "operation"),
                "p99 {{operation}}": quantile(0.99, f"{P}_cloud_attempt_seconds", "operation"),
            },
        ),
        (
            "At once",
            "short",
            {
                "under way": f"sum({P}_cloud_in_flight{HERE})",
                "waiting": f"sum({P}_cloud_waiting{HERE})",
                "limit": f"sum({P}_cloud_limit{HERE})",
            },
        ),
        ("Wait for a turn", "s", {"p90": quantile(0.9, f"{P}_cloud_queue_seconds", "operation")}),
        ("Breakers (2: open)", "short", {"{{operation}}": f"max by (operation) ({P}_cloud_breaker_state{HERE})"}),
        (
            "Further attempts",
            "cps",
            {
                "retries after {{outcome}}": rate(f"{P}_cloud_retries_total", "outcome"),
                "hedges": f"sum(rate({P}_cloud_hedges_total{HERE}[$__rate_interval]))",
            },
        ),
    ],
    "Cost": [
        (
            "Billed requests in a day",
            "short",
            {
                "{{operation}} ({{billed}})": (
                    f'sum by (operation, billed) (increase({P}_cloud_attempts_total{{instance=~"$instance", billed!="no"}}[1d]))'
                )
            },
        ),
        (
            "Answers without asking",
            "percentunit",
            {
                "from the cache": (
                    f'sum(rate({P}_cache_answers_total{{instance=~"$instance", state!="miss"}}[$__rate_interval]))'
                    f" / sum(rate({P}_cache_answers_total{HERE}[$__rate_interval]))"
                )
            },
        ),
    ],
    "Access": [
        (
            "Authentications",
            "cps",
            {"{{authenticator}} {{result}}": some(rate(f"{P}_authentications_total", "authenticator, result"))},
        ),
        (
            "Refusals to tenants",
            "cps",
            {"{{tenant_class}} {{limit}}": some(rate(f"{P}_tenant_refusals_total", "tenant_class, limit"))},
        ),
        (
            "Refusals in shadow",
            "cps",
            {"{{tenant_class}} {{limit}}": rate(f"{P}_tenant_shadow_refusals_total", "tenant_class, limit")},
        ),
        (
            "Billable calls by class of tenants",
            "cps",
            {"{{tenant_class}}": rate(f"{P}_tenant_billable_calls_total", "tenant_class")},
        ),
        ("Budgets left today", "short", {"{{tenant}}": f"min by (tenant) ({P}_tenant_budget_left{HERE})"}),
        (
            "Certificate serves for",
            "s",
            {"{{instance}}": f"min by (instance) ({P}_certificate_expiry_seconds{HERE} > 0) - time()"},
        ),
    ],
    "Cache and tokens": [
        ("Answers", "cps", {"{{operation}} {{state}}": rate(f"{P}_cache_answers_total", "operation, state")}),
        ("Size of the cache", "bytes", {"{{instance}}": f"{P}_cache_bytes{HERE}"}),
        ("Credential serves for", "s", {"{{instance}} {{worker}}": f"{P}_cloud_credential_remaining_seconds{HERE}"}),
        ("Credential's age", "s", {"{{instance}} {{worker}}": f"{P}_cloud_credential_age_seconds{HERE}"}),
        (
            "Credentials not to be had",
            "cps",
            {"{{instance}}": rate(f"{P}_cloud_credential_fetches_total", "instance", HERE.replace("}", ', result="failed"}'))},
        ),
    ],
    "Providers": [
        ("Ready", "bool", {"{{instance}} {{worker}}": f"{P}_ready{HERE}"}),
        ("Providers", "bool", {"{{provider}} {{instance}} {{worker}}": f"{P}_provider_up{HERE}"}),
        ("Taken over by another", "cps", {"from {{provider}}: {{reason}}": rate(f"{P}_taken_over_total", "provider, reason")}),
        (
            "Time of engines",
            "s",
            {
                "p50 {{engine}}": quantile(0.5, f"{P}_engine_duration_seconds", "engine"),
                "p99 {{engine}}": quantile(0.99, f"{P}_engine_duration_seconds", "engine"),
            },
        ),
        (
            "Engines",
            "short",
            {
                "threads": f"sum({P}_engine_threads{HERE})",
                "busy": f"sum({P}_engine_busy{HERE})",
                "waiting": f"sum({P}_engine_waiting{HERE})",
            },
        ),
    ],
    "Pictures": [
        ("Prepared", "cps", {"{{operation}} {{outcome}}": rate(f"{P}_prepare_pictures_total", "operation, outcome")}),
        ("What was done", "cps", {"{{action}}": rate(f"{P}_prepare_actions_total", "action")}),
        ("Refusals", "cps", {"{{reason}}": rate(f"{P}_prepare_refusals_total", "reason")}),
        ("Time of preparation", "s", {"p99 {{operation}}": quantile(0.99, f"{P}_prepare_duration_seconds", "operation")}),
        ("Downloads", "cps", {"{{outcome}}": rate(f"{P}_download_files_total", "outcome")}),
        (
            "Time of downloads",
            "s",
            {
                "p99 {{instance}}": quantile(0.99, f"{P}_download_duration_seconds", "instance"),
            },
        ),
    ],
}

SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    top = 0
    for row, questions in ROWS.items():
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": row,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": 24, "h": 1},
            }
        )
        top += 1
        for number, (title, unit, queries) in enumerate(questions):
            place = {"x": number % 3 * 8, "y": top + number // 3 * 8, "w": 8, "h": 8}
            panels.append(_panel(len(panels) + 1, title, unit, queries, place))
        top += -(-len(questions) // 3) * 8
    return {
        "uid": "image-gateway",
        "title": "image-gateway",
        "tags": ["image-gateway"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_source(), _instances()]},
        "annotations": {"list": []},
        "panels": panels,
    }


def _panel(number: int, title: str, unit: str, queries: dict[str, str], place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query, "legendFormat": legend}
        for index, (legend, query) in enumerate(queries.items())
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}},
        "targets": targets,
    }


def _source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source", "hide": 0}


def _instances() -> dict[str, Any]:
    return {
        "name": "instance",
        "type": "query",
        "label": "Instance",
        "datasource": SOURCE,
        "query": {"query": f"label_values({P}_ready, instance)", "refId": "instances"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "hide": 0,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = json.dumps(dashboard(), indent=2) + "\n"
    if not parser.parse_args().check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        print(f"{FILE.name} is out of date: run make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
