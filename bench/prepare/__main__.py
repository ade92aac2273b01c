"""Preparing pictures: this core beside Pillow, Pillow-SIMD, pyvips, OpenCV and simplejpeg, in one run on real photographs.

Each peer has a process and a virtual environment of its own, made under .venv-bench on the first run (a few minutes, and a
download of about 300 MB). Writes bench/results/prepare.md. Usage: make bench-prepare
"""

import argparse
import os
import sys
from pathlib import Path

from . import inputs, photographs, report, sizes
from .driver import TUNABLES, Peer, start
from .environments import ROOT
from .measure import Measured, measure, measure_rates
from .rows import QUALITY, ROWS

RESULTS = ROOT / "bench" / "results" / "prepare.md"


def main() -> None:
    options = _options()
    found, where = photographs.find(options.photos)
    files = inputs.make(found)
    peers, missing = start(options.peers, is_tuned=not options.untuned)
    began = report.load()
    cores = os.cpu_count() or 1
    rows: list[Measured] = []
    for row in ROWS:
        if options.rows and row.key not in options.rows:
            continue
        measured = measure(row, files[row.file], peers, options.rounds)
        if row.has_throughput:
            measure_rates(measured, peers, max(2, options.rounds // 4), cores)
        rows.append(measured)
        print(_section(measured, cores), flush=True)
    print(report.summary(rows))
    quality = "" if options.no_sizes else _sizes(found)
    print(f"\n{quality}")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join([_head(options, where, peers, missing, began), report.summary(rows)])
        sections = [_section(each, cores) for each in rows]
        options.output.write_text("\n\n".join([text, *sections, quality]).rstrip() + "\n")
        print(f"\nwritten to {options.output}")
    for peer in peers:
        peer.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.prepare", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="how often each way of doing a row is timed (default: 15)")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[], help="which rows, such as R1,R5 (default: all)")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=[], help="which peers, by name (default: all)")
    parser.add_argument("--photos", type=Path, help="a folder of photographs (default: Debian's wallpapers)")
    parser.add_argument("--untuned", action="store_true", help="leave the thresholds of glibc's malloc as they are")
    parser.add_argument("--no-sizes", action="store_true", help="leave out the quality over many sizes, which takes a minute")
    parser.add_argument(
        "--output", type=Path, help="where the results go (default: bench/results/prepare.md, if all is measured)"
    )
    options = parser.parse_args()
    if not (options.output or options.rows or options.peers):
        options.output = RESULTS
    return options


def _head(options: argparse.Namespace, where: str, peers: list[Peer], missing: dict[str, str], began: str) -> str:
    tuned = ", ".join(f"{name} {value >> 20} MiB" for name, value in TUNABLES.items())
    allocator = "as it comes" if options.untuned else f"with {tuned} in every process, as the gateway sets them when it serves"
    lines = [
        "# Preparing pictures",
        f"Written by `{' '.join(['python -m bench.prepare', *sys.argv[1:]])}`; {began} at the start, {report.load()} at the end.",
        f"Machine: {report.machine()}. glibc's malloc {allocator}. Photographs: {where}.",
        (
            f"JPEG is written at quality {QUALITY}, 4:2:0. One picture at a time on one thread; CPU time is that of all "
            f"threads and child processes. Each peer ran {options.rounds} times in turn with the others. {report.QUALITY_NOTE}"
        ),
        "\n".join(f"- {peer.name}: {peer.about}" for peer in peers),
    ]
    if missing:
        lines.append("\n".join(f"- {name}: **not measured**, it cannot be had here: {why}" for name, why in missing.items()))
    return "\n\n".join(lines)


def _sizes(found: list[Path]) -> str:
    return f"## Quality over many sizes\n\n{(sizes.__doc__ or '').strip()}\n\n{sizes.text(sizes.losses(found))}"


def _section(measured: Measured, cores: int) -> str:
    row = measured.row
    said = f"`{row.file}`, {measured.size} bytes. {report.verdict(measured)}."
    parts = [f"## {row.key} {row.title}", said, report.table(measured)]
    if measured.rates:
        parts.append(report.throughput(measured, cores))
    if row.key == "R4":
        parts.append(report.memory(measured))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
