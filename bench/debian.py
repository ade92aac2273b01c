"""Free photographs and music from Debian's packages, taken apart in a cache; needs no root."""

import shutil
import subprocess
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".venv-bench" / "debian"
"""Removed by `make clean`."""


def unpacked(package: str) -> Path:
    """The folder that holds what `package` installs (`usr/share/…`); downloaded on the first call. Raises `SystemExit`."""
    folder = CACHE / package
    if (folder / "complete").exists():
        return folder
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        msg = f"{package}: there is no apt-get here, which the bench takes its free photographs and music from"
        raise SystemExit(msg)
    folder.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", package], folder)
    for archive in folder.glob("*.deb"):
        _run(["dpkg", "-x", archive.name, "."], folder)
        archive.unlink()
    (folder / "complete").touch()
    return folder


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed commands
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        msg = f"{' '.join(command)}: {said} (has `apt-get update` been run?)"
        raise SystemExit(msg)
