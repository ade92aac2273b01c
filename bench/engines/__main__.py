"""Quality and cost of the local engines, on data kept apart from what they were tuned on; writes bench/results/engines/.

Usage: make bench-engines, or python -m bench.engines [ENGINE…]
"""

import argparse
import importlib
import os
from pathlib import Path

ENGINES = ("tagging", "dark_enhance", "defog", "super_resolution", "music")
RESULTS = Path(__file__).parent.parent / "results" / "engines"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"which (default: all): {', '.join(ENGINES)}")
    wanted = parser.parse_args().engines or list(ENGINES)
    if unknown := set(wanted) - set(ENGINES):
        parser.error(f"no such engine: {', '.join(sorted(unknown))}")
    # One core each, so that CPU seconds are those of the work and not of threads that wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in wanted:
        section = importlib.import_module(f"bench.engines.{name}").measure()
        text = section.markdown()
        print(text, flush=True)
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
