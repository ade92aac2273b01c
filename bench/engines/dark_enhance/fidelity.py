"""How close enhanced photographs come to those that they were darkened from, and how close other ways do."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bench.engines.dark_enhance.darkening import Camera, uneven_light
from bench.engines.dark_enhance.peers import PEERS
from bench.engines.dark_enhance.photographs import load
from bench.engines.quality import psnr, ssim, ssim_colour
from gateway.engines.dark_enhance import enhance_dark

TAKES = 3
STEPS = ((4, 7), (7, 12), (12, 20))


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of a picture to the truth."""

    psnr: float
    ssim: float
    colour: float

    @classmethod
    def of(cls, picture: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Self:
        """Measure it."""
        return cls(psnr(picture, truth), ssim(picture, truth), ssim_colour(picture, truth))


@dataclass(frozen=True, slots=True)
class Score:
    """Of one dark photograph."""

    darkened: float
    """One over the exposure."""
    before: Likeness
    after: Likeness
    peers: dict[str, Likeness]

    @property
    def gain(self) -> float:
        """Decibels of PSNR that enhancement brought."""
        return self.after.psnr - self.before.psnr


def scores(names: Sequence[str], *, uneven: bool = False) -> list[Score]:
    """Darken each photograph `TAKES` times and enhance it."""
    return [
        _score(load(name), np.random.default_rng([number, take]), uneven)
        for number, name in enumerate(names)
        for take in range(TAKES)
    ]


def _score(truth: NDArray[np.uint8], random: np.random.Generator, uneven: bool) -> Score:
    camera = Camera.drawn(random)
    dark = camera.take(truth, random, uneven_light(truth.shape[:2], random) if uneven else None)
    return Score(
        darkened=1 / camera.exposure,
        before=Likeness.of(dark, truth),
        after=Likeness.of(enhance_dark(dark), truth),
        peers={} if uneven else {name: Likeness.of(way(dark), truth) for name, way in PEERS.items()},
    )


def fidelity_table(of: list[Score]) -> str:
    """PSNR and SSIM by exposure, ours and the peers' (Markdown)."""
    ways: dict[str, Callable[[Score], Likeness]] = {
        "dark input": lambda score: score.before,
        "**this engine**": lambda score: score.after,
    }
    ways |= {name: (lambda score, name=name: score.peers[name]) for name in PEERS}
    groups = [[score for score in of if least <= score.darkened < most] for least, most in STEPS]
    heads = [f"1/{most} to 1/{least} ({len(group)})" for (least, most), group in zip(STEPS, groups, strict=True)]
    lines = [f"| PSNR (dB), SSIM | {' | '.join(heads)} | all ({len(of)}) |", "| --- |" + " --- |" * (len(groups) + 1)]
    for name, likeness in ways.items():
        cells = [_cell([likeness(score) for score in group]) for group in (*groups, of)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(of: list[Likeness]) -> str:
    return f"{statistics.mean(one.psnr for one in of):.1f}, {statistics.mean(one.ssim for one in of):.2f}"
