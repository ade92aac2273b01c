"""The part of the Dockerfile language that this project uses; anything else is an error."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template


@dataclass(frozen=True)
class Step:
    """One instruction, its line joined."""

    instruction: str
    text: str


@dataclass
class Stage:
    """What follows one FROM."""

    image: str
    name: str
    steps: list[Step] = field(default_factory=list)


def stages(dockerfile: Path) -> list[Stage]:
    """The stages in order, ARGs before the first FROM filled in with their defaults. Raises `ValueError`."""
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for step in _steps(dockerfile.read_text(encoding="utf-8")):
        if step.instruction == "FROM":
            image, _, name = Template(step.text).substitute(arguments).partition(" AS ")
            found.append(Stage(image, name.strip() or str(len(found))))
        elif found:
            found[-1].steps.append(step)
        elif step.instruction == "ARG":
            name, _, value = step.text.partition("=")
            arguments[name] = value
        else:
            msg = f"{step.instruction} before the first FROM"
            raise ValueError(msg)
    return found


def words(text: str) -> list[str]:
    """The arguments of an instruction, in either form."""
    return [str(word) for word in json.loads(text)] if text.startswith("[") else shlex.split(text)


def _steps(text: str) -> list[Step]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [Step(name.upper(), rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]
