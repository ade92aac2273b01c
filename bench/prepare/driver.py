"""The driver's end of the peers' processes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .environments import ENVIRONMENTS, ROOT, NotInstalledError, install

TUNABLES = {"mmap_threshold": 32 << 20, "trim_threshold": 1 << 30, "top_pad": 64 << 20}
"""As the gateway sets them for itself when it serves."""

# Each peer's name, its module in `peers`, and its environment; without one it runs in the project's.
_PEERS = (
    ("this core", "core", None),
    ("Pillow", "pillow", "pillow"),
    ("Pillow-SIMD", "pillow", "pillow-simd"),
    ("pyvips", "vips", "pyvips"),
    ("OpenCV", "opencv", "opencv"),
    ("simplejpeg + OpenCV", "simple_jpeg", "simplejpeg"),
    ("tools", "tools", None),
)
OURS = _PEERS[0][0]


class PeerError(Exception):
    """What a peer answered instead of a result."""


class Peer:
    """A peer's process."""

    def __init__(self, name: str, module: str, python: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        command = [str(python), "-m", "bench.prepare.worker", module]
        self._process = subprocess.Popen(  # noqa: S603 - commands of this file
            command, cwd=ROOT, env=dict(environment), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.about = str(self.ask("about")["about"])

    def ask(self, what: str, **arguments: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerError(f"its process ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def start(wanted: list[str], *, is_tuned: bool) -> tuple[list[Peer], dict[str, str]]:
    """The peers that can be had, and why the others cannot."""
    environment = dict(os.environ) | {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("GLIBC_TUNABLES", None)
    if is_tuned:
        environment["GLIBC_TUNABLES"] = ":".join(f"glibc.malloc.{name}={value}" for name, value in TUNABLES.items())
    started: list[Peer] = []
    missing: dict[str, str] = {}
    for name, module, where in _PEERS:
        if wanted and name not in wanted:
            continue
        try:
            python = install(ENVIRONMENTS[where]) if where else Path(sys.executable)
            started.append(Peer(name, module, python, environment))
        except (NotInstalledError, PeerError) as error:
            missing[name] = str(error)
    return started, missing
