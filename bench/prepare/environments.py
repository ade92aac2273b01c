"""A virtual environment per peer: Pillow and Pillow-SIMD are both `PIL`, and none of them is to slow another down.

Usage: python -m bench.prepare.environments
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv-bench"


@dataclass(frozen=True)
class Environment:
    """What a peer is installed from. `build`: what has to be there before, for a peer without wheels."""

    name: str
    packages: tuple[str, ...]
    build: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)
    needs: str = ""

    @property
    def python(self) -> Path:
        return CACHE / self.name / "bin" / "python"


# Without their headers Pillow-SIMD builds, and lacks the format.
_SIMD_OPTIONS = tuple(f"--config-settings={feature}=enable" for feature in ("jpeg", "zlib", "webp")) + tuple(
    f"--config-settings={feature}=disable"
    for feature in ("tiff", "lcms", "freetype", "raqm", "xcb", "jpeg2000", "avif", "imagequant")
)

ENVIRONMENTS = {
    each.name: each
    for each in (
        Environment("pillow", ("pillow==13.0.0", "pybase64==1.5.1", "orjson==3.13.0", "piexif==1.1.3")),
        Environment(
            "pillow-simd",
            ("pillow-simd==12.1.1.post0",),
            build=("setuptools==84.2.1", "pybind11==3.1.0"),
            options=("--no-build-isolation", "--no-binary=pillow-simd", "--no-cache-dir", *_SIMD_OPTIONS),
            flags={"CC": "cc -mavx2" if "avx2" in Path("/proc/cpuinfo").read_text() else "cc"},
            needs="a C compiler and, on Debian, libjpeg-dev zlib1g-dev libwebp-dev",
        ),
        Environment("pyvips", ("pyvips==3.2.0", "pyvips-binary==8.18.7")),
        Environment("opencv", ("opencv-python-headless==5.0.0.93", "numpy==2.4.6")),
        Environment("simplejpeg", ("simplejpeg==1.9.0", "opencv-python-headless==5.0.0.93", "numpy==2.4.6")),
    )
}


def cache(*parts: str) -> Path:
    """A folder for what is made or fetched here; git does not see it."""
    folder = CACHE.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    return folder


class NotInstalledError(Exception):
    """A peer that cannot be installed here, and why."""


def install(environment: Environment) -> Path:
    """The interpreter of the peer's environment, which is made unless it is up to date."""
    stamp = CACHE / environment.name / "installed"
    wanted = repr(environment)
    if stamp.is_file() and stamp.read_text() == wanted:
        return environment.python
    cache()
    _run([sys.executable, "-m", "venv", "--clear", str(CACHE / environment.name)], environment)
    pip = [str(environment.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if environment.build:
        _run([*pip, *environment.build], environment)
    _run([*pip, *environment.options, *environment.packages], environment)
    stamp.write_text(wanted)
    return environment.python


def _run(command: list[str], environment: Environment) -> None:
    done = subprocess.run(  # noqa: S603 - commands of this file
        command, env=os.environ | environment.flags, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
        reason = lines[-1] if lines else f"{command[0]} exited with {done.returncode}"
        raise NotInstalledError(f"{reason}; it needs {environment.needs}" if environment.needs else reason)


def main() -> None:
    for environment in ENVIRONMENTS.values():
        try:
            print(f"{environment.name}: {install(environment)}")
        except NotInstalledError as error:
            print(f"{environment.name}: not installed: {error}")


if __name__ == "__main__":
    main()
