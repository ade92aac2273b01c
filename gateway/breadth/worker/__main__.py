"""Start of the worker: `python -I -B __main__.py MEMORY_BYTES CPU_SECONDS PICTURES`, by path.

By path, because the interpreter may be another environment's, where no package is called `gateway`.
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    # First, so that nothing installed takes the name's place; and only for as long as it takes to find the package.
    sys.path.insert(0, str(folder.parent))
    serve = import_module(f"{folder.name}.serve")
    del sys.path[0]
    serve.main(memory=int(sys.argv[1]), cpu=float(sys.argv[2]), pictures=int(sys.argv[3]))
