"""Memory that enhancing one picture needs, in a process of its own."""

import multiprocessing
import resource
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np


def peak_memory(width: int, height: int) -> float:
    """Megabytes (10^6) that a process grows by at its peak while it enhances a dark picture of that size, the result included."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_enhance, args=(width, height, theirs))
    process.start()
    grown = ours.recv()
    process.join()
    return float(grown)


def _enhance(width: int, height: int, answer: Connection) -> None:
    from gateway.engines.dark_enhance import enhance_dark  # noqa: PLC0415 - counted from before its tables

    cv2.setNumThreads(1)
    ramp = np.linspace(0, 50, width).astype(np.uint8)
    dark = np.broadcast_to(ramp[np.newaxis, :, np.newaxis], (height, width, 3)).copy()
    before = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    enhance_dark(dark)
    answer.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 1e6)
