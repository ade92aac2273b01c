"""Prints by how many MiB the peak of this process grew when it enlarged a square, the result not counted.

Usage: python -m bench.engines.super_resolution.memory MODEL SCALE SIDE
"""

import sys
from pathlib import Path

import numpy as np

from gateway.engines.super_resolution import SuperResolution


def main() -> None:
    model, scale, side = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    engine = SuperResolution()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    before = _peak()
    result = engine.upscale(pixels, scale=scale, model=model)
    print(_peak() - before - result.nbytes / 2**20)


def _peak() -> float:
    """Most memory that was resident at any time, MiB. `getrusage` would count what the process was forked from."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main()
