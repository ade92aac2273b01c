"""Streams under load: answered once, bounded, prompt, fair, cleared away? Writes bench/results/streams.md.

Usage: python -m bench.streams [--streams STREAMS] [--items ITEMS] [--queued MIB]
The exit status is 1 if something does not hold.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from .bulk import Bulk, bulk
from .churn import Churn, churn
from .face import face
from .fairness import Fairness, fairness
from .section import Section
from .slow import Slow, slow

RESULTS = Path(__file__).parents[1] / "results" / "streams.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--streams", type=int, default=200, help="at once")
    parser.add_argument("--items", type=int, default=500, help="of each of them")
    parser.add_argument("--queued", type=int, default=1024, metavar="MIB", help="behind each client that does not read")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the report")
    given = parser.parse_args()
    load, *_ = os.getloadavg()
    scenarios: list[Callable[[], Awaitable[Section]]] = [
        lambda: slow(Slow(queued=given.queued << 20)),
        lambda: fairness(Fairness()),
        lambda: churn(Churn()),
        # The last, since their clients give way for good.
        lambda: face(Bulk(given.streams, given.items, gives_way=True)),
        lambda: bulk(Bulk(given.streams, given.items, gives_way=True)),
    ]
    sections = asyncio.run(_all(scenarios))
    text = "\n".join(_report(sections, load))
    print(text)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(text + "\n", encoding="utf-8")
    return 0 if all(check.holds for section in sections for check in section.checks) else 1


async def _all(scenarios: Iterable[Callable[[], Awaitable[Section]]]) -> list[Section]:
    return [await scenario() for scenario in scenarios]


def _report(sections: Iterable[Section], load: float) -> Iterator[str]:
    """`load`: how many processes wanted to run in the minute before."""
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    yield "# Streams under load\n"
    yield (
        f"Written by `python -m bench.streams`; {machine}, on which the clients, the gateway, its cloud (one that costs next to "
        "nothing, but for the section that says so) and whoever asks for health are processes of their own. "
        f"Load average before the start, of what else the machine did: {load:.1f}."
    )
    for section in sections:
        yield f"\n## {section.title}\n\n{section.about}\n"
        yield "|  | Found | Wanted |  |\n| --- | --- | --- | --- |"
        for check in section.checks:
            yield f"| {check.name} | {check.found} | {check.wanted} | {'holds' if check.holds else '**does not hold**'} |"


if __name__ == "__main__":
    sys.exit(main())
