"""Measuring a row: the peers take turns, so that whatever else the machine does hits all of them alike."""

import json
import math
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import metadata, reference
from .driver import OURS, Peer, PeerError
from .rows import MAX_BYTES, Row

QUALITY_BOUND = 0.5
"""How many dB a result may be below the best one, and still count."""

_LEAST_SECONDS = 0.02  # what one measurement takes at least


@dataclass
class Variant:
    """One way in which one peer does a row, and what was measured of it."""

    peer: str
    name: str
    bytes: int = 0
    psnr: float = math.nan
    note: str = ""
    repeat: int = 1
    counts: bool = True
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def best(self) -> float:
        return min(self.cpu)

    @property
    def median(self) -> float:
        return statistics.median(self.cpu)


@dataclass
class Measured:
    """A row's results. `rates`: executions a second on one and on all cores, by peer."""

    row: Row
    size: int
    variants: list[Variant] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    rates: dict[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, peer: str) -> Variant | None:
        """The peer's fastest variant, of those that count where there are any."""
        own = [each for each in self.variants if each.peer == peer]
        return min(own, key=lambda each: (not each.counts, each.best), default=None)

    @property
    def ours(self) -> Variant | None:
        return self.of(OURS)

    @property
    def fastest_peer(self) -> Variant | None:
        others = [each for each in self.variants if each.peer != OURS and each.counts]
        return min(others, key=lambda each: each.best, default=None)

    @property
    def ratio(self) -> float:
        """The fastest peer's CPU time by ours; more than 1 where we are faster."""
        if not (self.ours and self.fastest_peer):
            return math.nan
        return self.fastest_peer.best / self.ours.best


def measure(row: Row, path: Path, peers: list[Peer], rounds: int) -> Measured:
    """CPU and wall time, memory, and how good the result is."""
    data = path.read_bytes()
    measured = Measured(row, len(data))
    exact = reference.scaled(path, row.side) if row.writes_pixels or row.kind == "strip" else None
    work: list[tuple[Peer, Variant]] = []
    with tempfile.TemporaryDirectory() as folder:
        for peer in peers:
            try:
                opened = peer.ask("open", row=row.key, path=str(path))
            except PeerError as error:
                opened = {"variants": [], "missing": str(error)}
            if opened["missing"]:
                measured.missing[peer.name] = opened["missing"]
            for name in opened["variants"]:
                try:
                    work.append((peer, _warmed_up(peer, name, row, data, exact, Path(folder) / "result")))
                except PeerError as error:
                    measured.missing[f"{peer.name}, {name}"] = str(error)
    measured.variants = [variant for _, variant in work]
    _judge(measured)
    for turn in range(rounds):
        for peer, variant in work[turn % len(work) :] + work[: turn % len(work)]:
            answer = peer.ask("time", variant=variant.name, repeat=variant.repeat)
            variant.cpu.append(answer["cpu"])
            variant.wall.append(answer["wall"])
    return measured


def measure_rates(measured: Measured, peers: list[Peer], rounds: int, cores: int) -> None:
    """Executions a second of each peer's fastest variant, on one core and on all."""
    best: dict[tuple[str, int], float] = {}
    for _ in range(rounds):
        for peer in peers:
            variant = measured.of(peer.name)
            if variant is None or not variant.counts:
                continue
            count = max(2, math.ceil(0.3 / variant.best))
            for threads in (1, cores):
                rate = peer.ask("rate", variant=variant.name, threads=threads, count=count)["rate"]
                best[peer.name, threads] = max(best.get((peer.name, threads), 0.0), rate)
    for peer in peers:
        if (peer.name, 1) in best:
            measured.rates[peer.name] = best[peer.name, 1], best[peer.name, cores]


def _warmed_up(peer: Peer, name: str, row: Row, data: bytes, exact: np.ndarray | None, where: Path) -> Variant:
    """The variant, after it was run: what comes out is checked, and how often it has to be repeated is known."""
    variant = Variant(peer.name, name)
    answer = peer.ask("result", variant=name, path=str(where))
    variant.bytes = answer["bytes"]
    variant.note = answer["facts"]
    if exact is not None:
        _check_picture(variant, row, where.read_bytes(), exact)
    elif row.kind == "body":
        assert len(json.loads(where.read_bytes())["image"]) == -(-len(data) // 3) * 4, f"{peer.name}: another picture"
    variant.peak = peer.ask("memory", variant=name)["peak"]
    once = peer.ask("time", variant=name, repeat=1)["wall"]
    if once < _LEAST_SECONDS:
        # The first time is slower.
        once = peer.ask("time", variant=name, repeat=10)["wall"]
    variant.repeat = max(1, math.ceil(_LEAST_SECONDS / max(once, 1e-7)))
    return variant


def _check_picture(variant: Variant, row: Row, result: bytes, exact: np.ndarray) -> None:
    variant.psnr = reference.psnr(exact, result)
    if row.kind == "shrink" and len(result) > MAX_BYTES:
        variant.counts, variant.note = False, f"still over {MAX_BYTES} bytes"
    if row.kind == "strip":
        left = metadata.left(result)
        faults = ([] if variant.psnr == math.inf else ["not lossless"]) + ([f"leaves {' and '.join(left)}"] if left else [])
        variant.counts, variant.note = not faults, ", ".join(faults) or "same pixels"


def _judge(measured: Measured) -> None:
    """Mark what is not as good as it has to be."""
    if not measured.row.writes_pixels or not measured.variants:
        return
    best = max(each.psnr for each in measured.variants)
    for each in measured.variants:
        if each.psnr < best - QUALITY_BOUND:
            each.counts, each.note = False, f"{best - each.psnr:.1f} dB below the best"
