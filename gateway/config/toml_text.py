"""Settings written as TOML."""

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from gateway.config.declared import Declared, declared_settings
from gateway.config.loading import Loaded

_WIDTH: Final = 120

_EXAMPLE_HEAD: Final = """\
# Settings of image-gateway, all at their defaults. Take the mark (#) away from what you change; `image-gateway config check FILE`
# tells what is wrong with it, `image-gateway config schema` is for editors. Made from the code: `make generate`.
"""


def toml_value(value: object) -> str:
    """A text, a number, a switch or a path as TOML."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    # TOML's basic strings are JSON's, but for DEL, which has to be escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def effective_toml(loaded: Loaded, *, everything: bool) -> str:
    """The settings as a file that can be used again, each with where it comes from; secrets are left out, as comments.

    Without `everything`, only what was given.
    """
    lines = []
    for room, settings in _rooms():
        shown = [_effective(loaded, setting) for setting in settings if everything or setting.path in loaded.origins]
        if shown:
            lines += ["", f"[{room}]"] if room else []
            lines += shown
    return "\n".join(lines).strip() + "\n"


def effective_value(loaded: Loaded, setting: Declared) -> object:
    """What holds now: for a secret only whether it is set."""
    owner = getattr(loaded.settings, setting.room) if setting.room else loaded.settings
    value = getattr(owner, setting.name)
    if setting.is_secret:
        return None if value is None else "(secret)"
    return str(value) if isinstance(value, Path) else value


def origin(loaded: Loaded, setting: Declared) -> str:
    """Where it comes from."""
    return loaded.origins.get(setting.path, "default")


def example_toml() -> str:
    """A file with every setting, its meaning and its default, all as comments."""
    lines = [_EXAMPLE_HEAD]
    for room, settings in _rooms():
        if room:
            lines += [f"[{room}]", ""]
        for setting in settings:
            lines += [*_explained(setting), f"#{setting.name} = {_example_value(setting)}", ""]
    return "\n".join(lines)


def _rooms() -> Iterator[tuple[str, Iterator[Declared]]]:
    yield from groupby(declared_settings(), key=lambda setting: setting.room)


def _effective(loaded: Loaded, setting: Declared) -> str:
    value, source = effective_value(loaded, setting), origin(loaded, setting)
    if value is None:
        return f"# {setting.name} is not set"
    if setting.is_secret:
        return f"# {setting.name} = {value}  # {source}"
    return f"{setting.name} = {toml_value(value)}  # {source}"


def _explained(setting: Declared) -> list[str]:
    notes = [f"Allowed: {setting.allowed}."]
    if setting.depends_on_machine:
        notes.append(f"The default depends on the machine: {setting.reason}.")
    elif setting.default is None:
        notes.append("Not set by default.")
    else:
        notes.append(f"The default: {setting.reason}.")
    if setting.is_secret:
        notes.append("Secret.")
    notes.append("SIGHUP applies a change." if setting.reloads else "A change needs a restart.")
    paragraphs = (setting.description, " ".join(notes))
    wrapped = textwrap.TextWrapper(_WIDTH - 2, break_on_hyphens=False, break_long_words=False)
    return [f"# {line}" for text in paragraphs for line in wrapped.wrap(text)]


def _example_value(setting: Declared) -> str:
    value = setting.default if setting.default is not None else setting.example
    return toml_value(value if value is not None else 1 if setting.depends_on_machine else "")
