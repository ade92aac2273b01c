"""`python -m tools.container FOLDER`: build there, start the result, make calls from outside, and say what was found."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tools.container.build import Image, build
from tools.container.hardened import started

_PROJECT = Path(__file__).parents[2]


def main() -> None:
    """Build, start, call; exits with a message if anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tools.container", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the roots are made; some 4 GB, kept")
    folder = parser.parse_args().folder.resolve()
    if os.geteuid() != 0:
        sys.exit("roots are made by root only")
    folder.mkdir(parents=True, exist_ok=True)
    image = build(_PROJECT, folder)
    for path in ("opt/image-gateway", "opt/breadth"):
        print(f"/{path}: {_mebibytes(image.root / path)} MiB")
    print(f"the whole root: {_mebibytes(image.root)} MiB, of which the base {_mebibytes(folder / 'base-python')} MiB")
    _check_running(image)


def _check_running(image: Image) -> None:
    with started(image) as running:
        for line in running.facts():
            print(line)
        picture = _PROJECT / "examples/photos/dog.jpg"
        tag = [sys.executable, "-m", "gateway", "tag", "--target", running.address, os.fspath(picture)]
        print(subprocess.run(tag, check=True, capture_output=True, text=True).stdout, end="")
        print("health check:", running.health_check())
    print("ended with status", running.status)
    if running.status != 0:
        sys.exit("the gateway did not end as it should")


def _mebibytes(folder: Path) -> int:
    return int(subprocess.run(["du", "-sm", os.fspath(folder)], check=True, capture_output=True, text=True).stdout.split()[0])


if __name__ == "__main__":
    main()
