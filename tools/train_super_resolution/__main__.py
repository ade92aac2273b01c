"""Trains the super-resolution models and writes them to gateway/engines/data/, or compares those files with their sums.

Usage, from the root of the repository: python -m tools.train_super_resolution [--check] [--out FOLDER] [espcn] [srcnn]

On one thread and the same kind of processor, the same weights come out each time. espcn and srcnn are independent of each
other and can be trained side by side.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path
from typing import Final

SUMS: Final = "super_resolution.sha256"
SHIPPED: Final = Path(__file__).parents[2] / "gateway" / "engines" / "data"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.train_super_resolution", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="train nothing; compare the files with their sums")
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="FOLDER", help="where the files are (default: %(default)s)")
    parser.add_argument("families", nargs="*", metavar="espcn|srcnn", help="which models to train (default: both)")
    arguments = parser.parse_args()
    if arguments.check:
        return check(arguments.out)
    # PyTorch is not needed for --check.
    from tools.train_super_resolution.recipes import RECIPES, train  # noqa: PLC0415

    families = arguments.families or list(RECIPES)
    if unknown := set(families) - set(RECIPES):
        parser.error(f"no such models: {', '.join(sorted(unknown))}")
    started = time.process_time()
    for family in families:
        for name, model in train(RECIPES[family]):
            (arguments.out / name).write_bytes(model)
    print(f"{time.process_time() - started:.0f} s of CPU")
    names = sorted(path.name for path in arguments.out.glob("*_x[34].onnx"))
    (arguments.out / SUMS).write_text("".join(f"{_sum(arguments.out / name)}  {name}\n" for name in names), encoding="ascii")
    return 0


def check(folder: Path) -> int:
    """Compare the files in `folder` with their sums, say what differs, and return the exit status."""
    lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    wrong = [name for expected, name in (line.split() for line in lines) if _sum(folder / name) != expected]
    for name in wrong:
        print(f"{name} is not the file that was shipped", file=sys.stderr)
    return 1 if wrong else 0


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
