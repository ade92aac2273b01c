"""Data files as they are shipped: checked against their published sums."""

import hashlib
from importlib.resources import files
from typing import Final

import onnxruntime

_SUMS: Final = ("tagging.sha256", "super_resolution.sha256", "defog.sha256")


def shipped(name: str) -> bytes:
    """The content of `name`, a file of the data folder. Raises `ValueError` if it is not the one that was shipped."""
    folder = files("gateway.engines") / "data"
    lines = [line for sums in _SUMS for line in (folder / sums).read_text(encoding="ascii").splitlines()]
    content = (folder / name).read_bytes()
    if f"{hashlib.sha256(content).hexdigest()}  {name}" not in lines:
        msg = f"{name} is damaged: its SHA-256 is not the published one"
        raise ValueError(msg)
    return content


def session(name: str, *, memory_pattern: bool = True) -> onnxruntime.InferenceSession:
    """The shipped ONNX file `name`, ready to be run on the calling thread. Raises `ValueError` if it is damaged.

    `memory_pattern`: whether a plan of memory is kept for each shape that comes.
    """
    options = onnxruntime.SessionOptions()
    # Pictures are worked on side by side, so each takes one thread: more per picture only add hand-overs.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = memory_pattern
    return onnxruntime.InferenceSession(shipped(name), options, providers=["CPUExecutionProvider"])
