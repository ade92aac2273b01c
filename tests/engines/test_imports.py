"""Importing the engines does no work: a process of its own tells what it opens and starts."""

import subprocess
import sys

_SCRIPT = """
import importlib, pkgutil, sys, threading
seen = []

def hook(event, arguments):
    if event == "open" and "engines/data" in str(arguments[0]) or event in {"socket.connect", "subprocess.Popen"}:
        seen.append((event, str(arguments[0])))

sys.addaudithook(hook)
import gateway.engines
for module in pkgutil.walk_packages(gateway.engines.__path__, "gateway.engines."):
    importlib.import_module(module.name)
assert len([name for name in sys.modules if name.startswith("gateway.engines.")]) > 30
assert threading.active_count() == 1, threading.enumerate()
assert not seen, seen
from gateway.engines.tagging.vocabulary import load_vocabulary
load_vocabulary()
assert seen  # else nothing would be seen in any case
"""


def test_no_model_is_read_and_nothing_is_started() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
