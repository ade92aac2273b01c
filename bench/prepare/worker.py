"""A peer's process: takes commands as lines of JSON on its standard input, and answers each with one.

Usage: python -m bench.prepare.worker <module of bench.prepare.peers>
"""

import ctypes
import gc
import importlib
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from .peers import Work, Works
from .rows import ROWS, Row

_ROWS = {row.key: row for row in ROWS}


class Worker:
    """Keeps the file of the row at hand, and the ways to do it."""

    def __init__(self, peer: str) -> None:
        self._peer = importlib.import_module(f"{__package__}.peers.{peer}")
        self._works: dict[str, Work] = {}
        self._data = b""

    def about(self) -> dict[str, object]:
        return {"about": self._peer.about(), "python": sys.version.split()[0]}

    def open(self, row: str, path: str) -> dict[str, object]:
        found: Works = self._peer.works(self._row(row))
        if isinstance(found, str):
            return {"variants": [], "missing": found}
        self._works, self._data = found, Path(path).read_bytes()
        return {"variants": list(found), "missing": ""}

    def result(self, variant: str, path: str) -> dict[str, object]:
        """What the work gives: a file, written to `path`, or facts."""
        given = self._works[variant](self._data)
        if not isinstance(given, bytes):
            return {"bytes": 0, "facts": str(given)}
        Path(path).write_bytes(given)
        return {"bytes": len(given), "facts": ""}

    def time(self, variant: str, repeat: int) -> dict[str, object]:
        """Seconds of CPU (of all threads and child processes) and of wall that one execution takes."""
        work, data = self._works[variant], self._data
        gc.collect()
        cpu, wall = _cpu(), time.perf_counter()
        for _ in range(repeat):
            work(data)
        return {"cpu": (_cpu() - cpu) / repeat, "wall": (time.perf_counter() - wall) / repeat}

    def memory(self, variant: str) -> dict[str, object]:
        """By how many bytes resident memory grows at its peak, from what is left when nothing is kept."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        self._works[variant](self._data)
        return {"peak": _status("VmHWM") - before}

    def rate(self, variant: str, threads: int, count: int) -> dict[str, object]:
        """Executions a second where each of `threads` does `count` of them."""
        work, data = self._works[variant], self._data
        ready = threading.Barrier(threads + 1)

        def run() -> None:
            ready.wait()
            for _ in range(count):
                work(data)

        started = [threading.Thread(target=run) for _ in range(threads)]
        for thread in started:
            thread.start()
        ready.wait()
        wall = time.perf_counter()
        for thread in started:
            thread.join()
        return {"rate": threads * count / (time.perf_counter() - wall)}

    def _row(self, key: str) -> Row:
        return _ROWS[key]


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in /proc/self/status")


def main() -> None:
    # Libraries may print; the answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:  # noqa: BLE001 - told, and the row goes on without it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
