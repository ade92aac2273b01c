"""What a worker cannot do, seen from outside and tried from inside."""

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.breadth import worker
from gateway.breadth.worker.wire import Format

from .conftest import PYTHON
from .pictures import PIXELS, encoded, gradient

FOLDER = Path(worker.__file__).parent
X86_64 = platform.machine() == "x86_64"


def inside(script: str, *, cpu: float = 5) -> subprocess.CompletedProcess[str]:
    """Run `script` in a process that has confined itself as a worker does."""
    prologue = f"""
import sys; sys.path.insert(0, {str(FOLDER.parent)!r})
import ctypes, os, signal, socket, subprocess
from worker.confine import limit_cpu, limit_resources, seal
limit_resources(memory=512 << 20, cpu={cpu}, pictures=3)
sealed = seal()
def attempt(what):
    try:
        what()
    except OSError as error:
        return error.errno
    return 0
"""
    return subprocess.run(
        [PYTHON, "-I", "-B", "-c", prologue + script], capture_output=True, text=True, check=False, timeout=30, env={}
    )


@pytest.fixture
async def status(pool, monkeypatch) -> dict[str, bytes]:
    """What the system says of a worker that has decoded every format."""
    monkeypatch.setenv("IMAGE_GATEWAY_CLOUD_PASSWORD", "hunter2")
    leaked = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leaked, True)
    for kind in Format:
        await pool.decode(encoded(gradient(), kind.upper()), max_pixels=PIXELS)
    process = Path("/proc") / str(pool._idle[0]._process.pid)
    os.close(leaked)
    found = {name: (process / name).read_bytes() for name in ("status", "limits", "environ", "cmdline")}
    return found | {"fd": " ".join(sorted(entry.name for entry in (process / "fd").iterdir())).encode()}


async def test_nothing_is_inherited(status) -> None:
    assert b"hunter2" not in status["environ"]
    assert {entry.split(b"=")[0] for entry in status["environ"].strip(b"\0").split(b"\0")} <= {
        b"PATH",
        b"LC_ALL",
        b"MALLOC_MMAP_THRESHOLD_",
    }
    assert status["fd"] == b"0 1 2"


async def test_limits_are_set(status) -> None:
    limits = {line[:25].strip(): line[26:].split()[:2] for line in status["limits"].decode().splitlines()}
    assert limits["Max address space"] == [str(1 << 30)] * 2
    assert limits["Max cpu time"] == [str(11 * 101)] * 2
    for name in ("Max core file size", "Max file size", "Max open files"):
        assert limits[name] == ["0", "0"]


@pytest.mark.skipif(not X86_64, reason="system calls are filtered on x86-64 only")
async def test_system_calls_are_filtered(status) -> None:
    lines = dict(line.split(":", 1) for line in status["status"].decode().splitlines())
    assert (lines["Seccomp"].strip(), lines["NoNewPrivs"].strip()) == ("2", "1")


@pytest.mark.skipif(not X86_64, reason="system calls are filtered on x86-64 only")
def test_a_sealed_process_can_read_write_and_compute_only() -> None:
    done = inside("""
tried = [
    lambda: open("/etc/hostname"),
    lambda: os.listdir("/"),
    lambda: os.stat("/"),
    lambda: socket.socket(),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.kill(os.getppid(), 0),
    lambda: os.dup(0),
    lambda: os.pipe(),
    lambda: os.unlink("/nonexistent"),
    lambda: os.chdir("/"),
    lambda: subprocess.Popen(["/bin/true"]),
]
codes = [attempt(what) for what in tried]
libc = ctypes.CDLL(None, use_errno=True)
codes += [0 if libc.ptrace(0, 0, 0, 0) == 0 else ctypes.get_errno(), 0 if libc.prctl(1, 9, 0, 0, 0) == 0 else ctypes.get_errno()]
os.write(1, repr((sealed, set(codes), sum(range(10)))).encode())
""")
    assert (done.stdout, done.stderr, done.returncode) == ("(True, {1}, 45)", "", 0)


def test_no_file_can_be_opened_even_without_a_filter() -> None:
    done = inside("""
os.write(1, str(attempt(lambda: open("/etc/hostname")) in (1, 24)).encode())
""")
    assert done.stdout == "True", done.stderr


def test_memory_is_limited() -> None:
    done = inside("""
try:
    bytearray(600 << 20)
except MemoryError:
    os.write(1, b"limited")
""")
    assert done.stdout == "limited", done.stderr


def test_cpu_time_is_limited_for_each_picture() -> None:
    assert inside("limit_cpu(0.05)\nwhile True: pass").returncode == -signal.SIGPROF


def test_cpu_time_is_limited_for_all() -> None:
    done = inside("import resource; os.write(1, repr(resource.getrlimit(resource.RLIMIT_CPU)).encode())", cpu=1.5)
    assert done.stdout in {"(8, 8)", ""}  # "": the filter knows no way to ask either


def test_ctrl_c_is_not_for_workers() -> None:
    done = inside("os.write(1, str(signal.getsignal(signal.SIGINT) == signal.SIG_IGN).encode())")
    assert done.stdout == "True", done.stderr


def test_the_worker_imports_the_standard_library_and_pil_only() -> None:
    names = set()
    for path in FOLDER.glob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and not words[1].startswith("."):
                names.add(words[1].split(".")[0])
    assert names - sys.stdlib_module_names == {"PIL"}
