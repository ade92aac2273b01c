"""`image-gateway config`: the settings, as those who operate the gateway see them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.checks import check_settings
from gateway.config import ConfigError, Loaded, declared_settings, load
from gateway.config.schema import settings_schema
from gateway.config.toml_text import effective_toml, effective_value, origin

_PROBLEMS = 2


class Given(NamedTuple):
    """What settings are read from."""

    flags: Mapping[str, str | None]
    environment: Mapping[str, str]
    file: Path | None

    def load(self) -> Loaded:
        """Read them. Raises `ConfigError`."""
        return load(self.flags, self.environment, self.file)


def run_schema() -> int:
    """Print the schema of the settings file."""
    print(json.dumps(settings_schema(), indent=2, ensure_ascii=False))
    return 0


def run_check(given: Given) -> int:
    """Say what is wrong and what is dangerous; the exit status is 2 if anything is wrong."""
    dangers: list[str] = []
    try:
        problems, dangers = check_settings(given.load(), given.environment)
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    for danger in dangers:
        print(f"warning: {danger}", file=sys.stderr)
    if problems:
        return _PROBLEMS
    print(f"the settings can be used{f'; {len(dangers)} dangerous' if dangers else ''}")
    return 0


def run_show(given: Given, *, everything: bool, as_json: bool) -> int:
    """Print what holds and where it comes from. Raises `ConfigError`."""
    loaded = given.load()
    if not as_json:
        text = effective_toml(loaded, everything=everything)
        print(text if text.strip() else "# Every setting has its default; --all shows them.\n", end="")
        return 0
    shown = {
        setting.path: {"value": effective_value(loaded, setting), "source": origin(loaded, setting)}
        for setting in declared_settings()
        if everything or setting.path in loaded.origins
    }
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0
