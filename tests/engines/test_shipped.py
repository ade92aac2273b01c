"""Models as they are loaded: without a word to anybody."""

import os
import subprocess
import sys

import pytest

from gateway.engines.shipped import shipped

LOADED = """
import os
from gateway.engines.shipped import session
session("espcn_x3.onnx")
print(len(os.listdir("/proc/self/task")))
"""


def test_the_runtime_leaves_no_identifier_and_runs_no_uploader(tmp_path) -> None:
    """Which it would on a machine of a user's; where `CI` is set it does not anyway."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, check=True, capture_output=True, text=True)
    assert list(tmp_path.iterdir()) == []
    assert int(done.stdout) == 1


def test_a_file_that_was_not_shipped_is_none() -> None:
    with pytest.raises(FileNotFoundError):
        shipped("another.onnx")
