"""Programs that remove metadata; their start is part of what they cost."""

import shutil
import subprocess

from bench.prepare.rows import Row

from . import Works

_COMMANDS = {
    "exiftool -all= (a process)": ["exiftool", "-all=", "-o", "-", "-"],
    "jpegtran -copy none (a process)": ["jpegtran", "-copy", "none"],
}


def about() -> str:
    names = [name for name in ("exiftool", "jpegtran") if shutil.which(name)]
    missing = [name for name in ("exiftool", "jpegtran") if not shutil.which(name)]
    said = [f"{name} {_version(name)}" for name in names] + [f"{name} is not installed" for name in missing]
    return ", ".join(said)


def works(row: Row) -> Works:
    if row.kind != "strip":
        return "they change metadata only"
    found = {said: _tool(command) for said, command in _COMMANDS.items() if shutil.which(command[0])}
    return found or "neither exiftool nor jpegtran is installed"


def _tool(command: list[str]):  # noqa: ANN202 - a Work
    def run(data: bytes) -> bytes:
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout  # noqa: S603 - ours

    return run


def _version(name: str) -> str:
    flag = "-ver" if name == "exiftool" else "-version"
    done = subprocess.run([name, flag], input="", capture_output=True, text=True, check=False)  # noqa: S603 - a peer's name
    return (done.stdout + done.stderr).strip().splitlines()[0]
