"""What of the settings would keep `serve` or `rest` from starting, or is legal but dangerous, found without starting either."""

from collections.abc import Mapping

from gateway.checks.dangers import DANGERS
from gateway.checks.problems import PROBLEMS
from gateway.config import Loaded


def check_settings(loaded: Loaded, environment: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Problems and dangers, one text each, without secrets. Reads the files that are named; asks nobody over the network."""
    problems = [problem for find in PROBLEMS for problem in find(loaded.settings, environment)]
    dangers = [danger for find in DANGERS for danger in find(loaded)]
    return problems, dangers
