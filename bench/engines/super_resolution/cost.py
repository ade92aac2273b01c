"""What enlarging takes: processor time, and memory beside the input and the result."""

import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.engines.super_resolution import SuperResolution


class Time(NamedTuple):
    """CPU milliseconds of the whole process."""

    best: float
    median: float


def cpu_time(engine: SuperResolution, pixels: NDArray[np.uint8], scale: int, model: str, *, rounds: int) -> Time:
    """Enlarge `rounds` times."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        engine.upscale(pixels, scale=scale, model=model)
        taken.append((time.process_time() - started) * 1000)
    return Time(min(taken), statistics.median(taken))


def memory(model: str, scale: int, side: int) -> float:
    """MiB at the peak, beside input and result, of a process that enlarges one square of `side` pixels."""
    command = [sys.executable, "-m", "bench.engines.super_resolution.memory", model, str(scale), str(side)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - our own program
