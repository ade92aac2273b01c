"""The results as text: Markdown, which also reads well in a terminal."""

import math
import os
import platform
import time
from pathlib import Path

from .driver import OURS
from .inputs import LARGE
from .measure import QUALITY_BOUND, Measured, Variant

LEAST_SCALING = 0.9
"""Of the number of cores: 1.8 times as many pictures on two."""
MOST_MEMORY = 1.5
"""Times the decoded picture, that preparing one may take."""

_COLUMNS = ("", "CPU ms, best", "median", "wall ms, best", "÷ this core", "PSNR dB", "bytes out", "peak MiB", "")


def table(measured: Measured) -> str:
    """A row's table; each peer's fastest way first, by time."""
    ours = measured.ours
    lines = [_line(_COLUMNS), _line(["---"] + ["---:"] * 7 + ["---"])]
    heads = {peer: measured.of(peer) for peer in dict.fromkeys(each.peer for each in measured.variants)}
    for each in sorted(measured.variants, key=lambda it: (it.peer != OURS, it.best)):
        name = f"{each.peer}: {each.name}" if each.peer != OURS else f"**{OURS}**"
        lines.append(_line(_cells(name, each, ours, is_head=heads[each.peer] is each)))
    lines += [f"\n{name}: {reason}." for name, reason in measured.missing.items()]
    return "\n".join(lines)


def verdict(measured: Measured) -> str:
    peer, ratio = measured.fastest_peer, measured.ratio
    if measured.ours is None or not measured.ours.counts:
        return "**target not met**: this core has no result that counts"
    if peer is None:
        return "no peer does it at the same quality"
    met = "target met" if ratio >= 1 else "**target not met**"
    return f"{met}: {ratio:.2f}× as fast as the fastest peer, {peer.peer} ({peer.name})"


def throughput(measured: Measured, cores: int) -> str:
    lines = [_line(["", "per second, 1 thread", f"{cores} threads", "ratio"]), _line(["---", "---:", "---:", "---:"])]
    for peer, (one, all_) in sorted(measured.rates.items(), key=lambda item: (item[0] != OURS, -item[1][1])):
        lines.append(_line([f"**{peer}**" if peer == OURS else peer, f"{one:.1f}", f"{all_:.1f}", f"{all_ / one:.2f}"]))
    if OURS in measured.rates:
        one, all_ = measured.rates[OURS]
        met = "target met" if all_ / one >= LEAST_SCALING * cores else "**target not met**"
        lines.append(f"\n{met}: {all_ / one:.2f} times as many on {cores} cores; {LEAST_SCALING * cores:.1f} are wanted.")
    return "\n".join(lines)


def memory(measured: Measured) -> str:
    """Of the row that decodes the large picture."""
    ours = measured.ours
    if ours is None:
        return "**target not met**: this core has no result."
    decoded = LARGE[0] * LARGE[1] * 3
    share = ours.peak / decoded
    met = "target met" if share <= MOST_MEMORY else "**target not met**"
    return (
        f"{met}: {measured.row.title} takes {ours.peak / 2**20:.0f} MiB at its peak, the result included and the file not: "
        f"{share:.2f} times the {decoded / 2**20:.0f} MiB of the decoded picture; at most {MOST_MEMORY} are wanted."
    )


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def load() -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M')}, load average {os.getloadavg()[0]:.2f}"


def summary(rows: list[Measured]) -> str:
    lines = [_line(["Row", "this core, ms", "fastest peer, ms", "ratio", ""]), _line(["---", "---:", "---:", "---:", "---"])]
    for each in rows:
        ours, peer = each.ours, each.fastest_peer
        cells = [f"{each.row.key} {each.row.title}", _ms(ours.best) if ours else "–", _ms(peer.best) if peer else "–"]
        ratio = "–" if math.isnan(each.ratio) else f"{each.ratio:.2f}"
        lines.append(_line([*cells, ratio, verdict(each)]))
    return "\n".join(lines)


QUALITY_NOTE = (
    f"The reference is the decoded source scaled by a separable Lanczos with three lobes in float64. A result more than "
    f"{QUALITY_BOUND} dB below the best of its row does not count as a peer's time."
)


def _cells(name: str, each: Variant, ours: Variant | None, *, is_head: bool) -> list[str]:
    ratio = f"{each.best / ours.best:.2f}" if ours else "–"
    psnr = "–" if math.isnan(each.psnr) else "same" if each.psnr == math.inf else f"{each.psnr:.2f}"
    peak = "–" if each.peer == "tools" else f"{each.peak / 2**20:.1f}"
    mark = "" if each.counts else "✗ "
    shown = [_ms(each.best), _ms(each.median), _ms(min(each.wall)), f"**{ratio}**" if is_head and each.counts else ratio]
    return [mark + name, *shown, psnr, f"{each.bytes}" if each.bytes else "–", peak, "" if each.bytes == 0 else each.note]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}" if seconds >= 0.01 else f"{seconds * 1e3:.4f}"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []
