"""Many calls against a cloud that misbehaves: is every one answered, counted and cleared away? Writes bench/results/soak.md.

Usage: make soak, or python -m bench.soak [--calls CALLS] [--concurrency CALLS] [--seed SEED]
The exit status is 1 if something does not hold.
"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from .checks import STORMY, checks
from .drills import Drill, drills
from .report import report
from .run import soak, stormy
from .weather import Weather

RESULTS = Path(__file__).parents[1] / "results" / "soak.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--calls", type=int, default=100_000, help="by token and signed, half of them each; the drills come on top"
    )
    parser.add_argument("--concurrency", type=int, default=32, help="calls at once that the account allows")
    parser.add_argument("--seed", type=int, default=1, help="decides which calls are struck by what")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the report")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # of tokens that are refused, as they should be
    weather = Weather(given.seed)
    everything = [Drill(stormy(each, given.calls // 2, given.concurrency, weather), STORMY) for each in ("token", "keys")]
    runs = []
    for drill in (*everything, *drills(given.calls // 20, given.seed)):
        account = asyncio.run(soak(drill.plan, drill.open_provider))
        runs.append((account, checks(account, drill.groups)))
    text = report(runs)
    print(text)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text, encoding="utf-8")
    return 0 if all(check.holds for _, checked in runs for check in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
