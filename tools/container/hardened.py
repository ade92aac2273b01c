"""An image's root, started as the deployment files start it: read only, as the image's user, without any capability."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.container.build import Image

_ADDRESS = "127.0.0.1:50071"


class Running:
    """A gateway in its root."""

    def __init__(self, image: Image, process: subprocess.Popen[str]) -> None:
        self.address = _ADDRESS
        self.status: int | None = None
        self._image = image
        self._process = process

    def facts(self) -> Iterator[str]:
        """What the kernel says of the gateway's process."""
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
                arguments = (status.parent / "cmdline").read_bytes().split(b"\0")
                if _ADDRESS.encode() in (status.parent / "environ").read_bytes() and b"serve" in arguments and "python" in os.readlink(status.parent / "exe"):  # fmt: skip
                    root = next(line for line in (status.parent / "mountinfo").read_text().splitlines() if line.split()[4] == "/")
                    yield f"user {lines['Uid'].split()[0]}, capabilities {lines['CapEff'].strip()}, bounding {lines['CapBnd'].strip()}, "\
                        f"no new privileges {lines['NoNewPrivs']}, root mounted {root.split()[5].split(',')[0]}, {lines['VmRSS'].strip()} resident"  # fmt: skip

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


def _command(image: Image, command: Sequence[str]) -> list[str]:
    user, _, group = image.user.partition(":")
    variables = image.environment | {"IMAGE_GATEWAY_LISTEN": _ADDRESS}
    return [
        "bwrap", "--ro-bind", os.fspath(image.root), "/", "--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", str(64 << 20), "--tmpfs", "/tmp",
        "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--die-with-parent", "--clearenv",
        *(part for name, value in variables.items() for part in ("--setenv", name, value)),
        "setpriv", f"--reuid={user}", f"--regid={group or user}", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
        "--inh-caps=-all", "--ambient-caps=-all", *command,
    ]  # fmt: skip
