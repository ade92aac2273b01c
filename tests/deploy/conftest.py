"""The files in `deploy/`. Most of their checks need tools that `make check-deploy` brings; without them they are skipped."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "image-gateway"


def tool(variable: str) -> str:
    """The path that `make check-deploy` names; skips the test elsewhere."""
    path = os.environ.get(variable)
    if path is None:
        pytest.skip(f"{variable} is not set; run make check-deploy")
    return path


def output(*command: str, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def rendered() -> Callable[..., list[dict[str, Any]]]:
    """The chart's manifests, for values given as YAML."""
    helm = tool("DEPLOY_TEST_HELM")

    def render(values: str, name: str = "image-gateway") -> list[dict[str, Any]]:
        text = output(
            helm,
            "template",
            name,
            os.fspath(CHART),
            "--namespace",
            "pictures",
            "--kube-version",
            "1.30.0",
            "--values",
            "-",
            input=values,
        )
        return [document for document in yaml.safe_load_all(text) if document]

    return render
