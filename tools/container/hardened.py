"""An image's root, started as the deployment files start it: read only, as the image's user, without any capability."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tools.container.build import Image

_ADDRESS: Final = "127.0.0.1:50071"
_TMPFS_BYTES: Final = 64 << 20


class Running:
    """A gateway in its root."""

    def __init__(self, image: Image, process: subprocess.Popen[str]) -> None:
        self.address = _ADDRESS
        self.status: int | None = None
        self._image = image
        self._process = process

    def facts(self) -> Iterator[str]:
        """What the kernel says of the gateway's processes."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environment = (process / "environ").read_bytes().split(b"\0")
                if f"IMAGE_GATEWAY_LISTEN={_ADDRESS}".encode() in environment:
                    yield _described(process)

    def health_check(self) -> str:
        """The image's own."""
        return subprocess.run(
            _command(self._image, ["image-gateway", "health"]), check=True, capture_output=True, text=True
        ).stdout.strip()

    def stop(self) -> None:
        """SIGTERM, as an engine does, and the end."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        subprocess.run(["kill", "-TERM", *children], check=True)  # bwrap itself would only die
        self.status = self._process.wait(60)


@contextlib.contextmanager
def started(image: Image) -> Iterator[Running]:
    """Start the image's command, wait until it is ready, stop it at the end."""
    command = _command(image, [*image.entrypoint, *image.command])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.strip() == f"ready grpc={_ADDRESS}", line
            running = Running(image, process)
            yield running
            running.stop()
        finally:
            process.kill()


def _described(process: Path) -> str:
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    options = next(fields[5] for fields in mounts if fields[4] == "/")
    return (
        f"{status['Name']}: user {status['Uid'].split()[0]}, capabilities {status['CapEff']} of {status['CapBnd']}, "
        f"no new privileges {status['NoNewPrivs']}, root mounted {options.split(',')[0]}, {status['VmRSS'].strip()} resident"
    )


def _command(image: Image, command: Sequence[str]) -> list[str]:
    user, _, group = image.user.partition(":")
    variables = image.environment | {"IMAGE_GATEWAY_LISTEN": _ADDRESS}
    root = ["--ro-bind", os.fspath(image.root), "/", "--proc", "/proc", "--dev", "/dev"]
    writable = ["--perms", "1777", "--size", str(_TMPFS_BYTES), "--tmpfs", "/tmp"]
    apart = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent", "--clearenv"]
    settings = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    become = [f"--reuid={user}", f"--regid={group or user}", "--clear-groups"]
    give_up = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    return ["bwrap", *root, *writable, *apart, *settings, "setpriv", *become, *give_up, *command]
