"""Carry out the stages, each in a root of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.container.context import Context
from tools.container.dockerfile import Stage, Step, stages, words

# What stands for the official images: Debian's own Python with its headers, under the names that those have, and the toolchain
# of this machine.
_PACKAGES: Final = {"python": "python3,python3-venv,libpython3-dev,ca-certificates", "rust": "gcc,libc6-dev,ca-certificates"}
_ENVIRONMENT: Final = {
    "python": {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"},
    "rust": {
        "PATH": "/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "CARGO_HOME": "/usr/local/cargo",
        "RUSTUP_HOME": "/usr/local/rustup",
    },
}

_PIP: Final = "pip==24.0"

# Of this machine, for the time of a RUN: how it reaches package registries.
_LENT: Final = ("/etc/resolv.conf", "/etc/ssl/certs", "/etc/pip.conf", "/etc/apt/apt.conf.d")
_LENT_VARIABLES: Final = ("SSL_CERT_FILE", "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "CARGO_HTTP_CAINFO")


@dataclass
class Image:
    """A root and how it is to be started."""

    root: Path
    base: str
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def build(project: Path, into: Path) -> Image:
    """Carry out the project's Dockerfile; gives the last stage's image. Needs root, mmdebstrap and bwrap."""
    context, built = Context(project), {}
    image = None
    for stage in stages(project / "Dockerfile"):
        print(f"stage {stage.name}: FROM {stage.image}", flush=True)
        image = _from(stage.image, stage.name, into)
        _carry_out(stage, image, context, built)
        built[stage.name] = image
    assert image is not None
    return image


def _from(tag: str, name: str, into: Path) -> Image:
    kind = tag.rsplit("/", 1)[-1].partition(":")[0]
    base = into / f"base-{kind}"
    if not base.exists():
        subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES[kind]}", "bookworm", os.fspath(base)], check=True
        )
        if kind == "python":
            (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
            _bundle_pip(base / "usr/share/python-wheels")
        else:
            (base / "usr/local/rustup").mkdir()
            shutil.copytree(Path.home() / ".cargo/bin", base / "usr/local/cargo/bin", symlinks=True)
    root = into / name
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "--archive", os.fspath(base), os.fspath(root)], check=True)
    return Image(root, kind, dict(_ENVIRONMENT[kind]))


def _bundle_pip(wheels: Path) -> None:
    """Have environments get the pip that Python 3.11's own releases bundle; Debian's is older than what the locks ask for."""
    for old in wheels.glob("pip-*.whl"):
        old.unlink()
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", os.fspath(wheels), _PIP], check=True
    )


def _carry_out(stage: Stage, image: Image, context: Context, built: dict[str, Image]) -> None:
    for step in stage.steps:
        match step.instruction:
            case "RUN":
                print(f"  RUN {step.text[:100]}", flush=True)
                _run(image, ["/bin/sh", "-c", step.text])
            case "COPY":
                _copy(words(step.text), image, context, built)
            case "WORKDIR":
                image.workdir = step.text
                _inside(image.root, step.text).mkdir(parents=True, exist_ok=True)
            case _:
                _note(step, image)


def _note(step: Step, image: Image) -> None:
    """What changes how the image is started, and not what is in it."""
    match step.instruction:
        case "ENV" | "ARG":
            for word in words(step.text):
                name, _, value = word.partition("=")
                image.environment[name] = value.replace("$PATH", image.environment["PATH"])
        case "USER":
            image.user = step.text
        case "ENTRYPOINT":
            image.entrypoint = words(step.text)
        case "CMD":
            image.command = words(step.text)
        case "LABEL" | "EXPOSE" | "HEALTHCHECK" | "STOPSIGNAL":
            pass
        case other:
            msg = f"the Dockerfile has {other}, which is not carried out here"
            raise ValueError(msg)


def _copy(arguments: Sequence[str], image: Image, context: Context, built: dict[str, Image]) -> None:
    options = [word for word in arguments if word.startswith("--from=")]
    *sources, target = [word for word in arguments if not word.startswith("--from=")]
    to = _inside(image.root, os.path.normpath(Path(image.workdir) / target))
    for source in sources:
        if options:
            other = _inside(built[options[0].removeprefix("--from=")].root, source)
            shutil.copytree(other, to, symlinks=True, dirs_exist_ok=True)
        else:
            name_kept = target.endswith("/") and (context_file := Path(source)).suffix
            context.copy(source, to / context_file.name if name_kept else to / source if target == "./" else to)


def _run(image: Image, command: Sequence[str]) -> None:
    lent = [part for path in _LENT for part in ("--ro-bind-try", path, path)]
    if image.base == "rust":
        lent += ["--ro-bind", os.fspath(Path.home() / ".rustup"), "/usr/local/rustup"]
    variables = image.environment | {name: os.environ[name] for name in _LENT_VARIABLES if name in os.environ}
    settings = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    root = ["--bind", os.fspath(image.root), "/", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
    subprocess.run(
        ["bwrap", *root, *lent, "--clearenv", *settings, "--chdir", image.workdir, "--die-with-parent", *command], check=True
    )


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
