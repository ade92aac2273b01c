"""Fog removal: how close it comes to the clear picture, what it does to clear ones and to skies, and its cost."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import astuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engines.defog import pictures
from bench.engines.defog.artefacts import Artefacts, artefacts_of, largest
from bench.engines.defog.haze import KINDS, hazy
from bench.engines.defog.peers import clahe, dark_channel_prior, tuned_dark_channel_prior
from bench.engines.defog.photographs import FOGGY, FOGGY_UNSEEN, LONG_SIDE, MEASURED_ON, TUNED_ON, photograph
from bench.engines.quality import psnr, ssim
from bench.engines.section import Row, Section
from gateway.engines.defog import defog

Pixels = NDArray[np.uint8]


def _strong(picture: Pixels) -> Pixels:
    return defog(picture, natural_look=False)


METHODS: dict[str, Callable[[Pixels], Pixels]] = {
    "this engine": defog,
    "this engine, natural_look false": _strong,
    "dark channel prior": dark_channel_prior,
    "dark channel prior, tuned": tuned_dark_channel_prior,
    "CLAHE": clahe,
}
OWN, OWN_STRONG = "this engine", "this engine, natural_look false"
LIMITS = Artefacts(rim=0.5, noise=2.0, colour=2.0, blocks=3.0)
"""Of foggy photographs, either look. Half a level a pixel is a rim of ten levels over twenty pixels, which one begins to see."""
MOST_GAIN_SHOWN = 60.0  # dB; identical pictures have no finite PSNR
BIG = (4000, 3000)
REPEATS = 7


def measure() -> Section:
    """Measure, and write the pictures of the documentation."""
    cv2.setNumThreads(1)
    before = np.zeros((len(MEASURED_ON), len(KINDS), 2))
    after = {name: np.zeros_like(before) for name in METHODS}
    kept = {name: np.zeros(len(MEASURED_ON)) for name in METHODS}
    for row, name in enumerate(MEASURED_ON):
        clear = photograph(name)
        for method, remove in METHODS.items():
            kept[method][row] = min(psnr(remove(clear), clear), MOST_GAIN_SHOWN)
        for column, kind in enumerate(KINDS):
            foggy = hazy(clear, kind, name)
            before[row, column] = psnr(foggy, clear), ssim(foggy, clear)
            for method, remove in METHODS.items():
                result = remove(foggy)
                after[method][row, column] = psnr(result, clear), ssim(result, clear)
    found = {
        name: {photo: artefacts_of(photograph(photo), remove) for photo in FOGGY + FOGGY_UNSEEN}
        for name, remove in METHODS.items()
    }
    pictures.write()
    gain, likeness = (after[OWN] - before)[..., 0], after[OWN][..., 1]
    seconds, peak = _cost()
    return Section(
        title="Defog",
        method=_METHOD,
        rows=(
            Row("PSNR over the hazy input, mean", f"{gain.mean():+.2f} dB", "≥ +6 dB", bool(gain.mean() >= 6)),
            Row(
                "SSIM, mean",
                f"{likeness.mean():.3f} (input: {before[..., 1].mean():.3f})",
                "≥ 0.88",
                bool(likeness.mean() >= 0.88),
            ),
            Row("Pictures that come out worse than they went in (PSNR)", f"{np.mean(gain < 0):.1%}; worst {gain.min():+.1f} dB"),
            Row(
                "Fog-free photographs, PSNR to the input",
                f"median {np.median(kept[OWN]):.1f} dB, lowest {kept[OWN].min():.1f} dB",
            ),
            *_limits(found),
            Row("12 megapixels, CPU, median", f"{seconds:.2f} s", "≤ 0.6 s", seconds <= 0.6),
            Row("Memory at its peak, of NumPy's arrays, beyond the picture itself", f"{peak:.1f} × the picture"),
        ),
        notes="\n".join(
            [*_by_kind(before, after), "", *_others(kept), "", *_artefacts(found), "", *_by_photograph(gain, kept[OWN])]
        ),
    )


_METHOD = f"""
{len(MEASURED_ON)} photographs (`MEASURED_ON` in `bench/engines/defog/photographs.py`, from Debian packages, long side
{LONG_SIDE}) that nothing was tuned on, each in {len(KINDS)} kinds of haze (`bench/engines/defog/haze.py`) that aren't made by the
rules the engine assumes, nor by those it was fitted with: fog that ignores what the picture shows, an uneven and tinted airlight,
haze in linear light, sensor noise, JPEG. Default parameters. Fitted and tuned on {len(TUNED_ON)} other photographs (`TUNED_ON`)
by `python -m bench.engines.defog.train`; what spares skies and outlines was set by looking at `FOGGY`, {len(FOGGY)} photographs
of real fog and haze without a true picture; `FOGGY_UNSEEN` are {len(FOGGY_UNSEEN)} others. CPU: thread time, one thread,
median of {REPEATS} runs, {BIG[0]} × {BIG[1]}.
"""


def _cost() -> tuple[float, float]:
    """Median CPU seconds, and peak memory as a multiple of the picture's."""
    clear = photograph(MEASURED_ON[0])
    large = np.asarray(cv2.resize(hazy(clear, "mixture", "cost"), BIG, interpolation=cv2.INTER_CUBIC), np.uint8)
    taken = []
    for _ in range(REPEATS):
        start = time.thread_time()
        defog(large)
        taken.append(time.thread_time() - start)
    tracemalloc.start()
    defog(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(np.median(taken)), peak / large.nbytes


def _by_kind(before: NDArray[np.float64], after: dict[str, NDArray[np.float64]]) -> list[str]:
    lines = [
        "PSNR gained (dB) and SSIM by kind of haze:",
        "",
        f"| | {' | '.join(KINDS)} | mean |",
        "| --- |" + " --- |" * (len(KINDS) + 1),
    ]
    means = before.mean(axis=0)
    lines.append(_table_row("hazy input (PSNR)", [f"{level:.1f} / {like:.3f}" for level, like in [*means, means.mean(axis=0)]]))
    for method, figures in after.items():
        gained = (figures - before)[..., 0].mean(axis=0)
        alike = figures[..., 1].mean(axis=0)
        cells = [f"{up:+.2f} / {like:.3f}" for up, like in zip(gained, alike, strict=True)]
        lines.append(_table_row(method, [*cells, f"{gained.mean():+.2f} / {alike.mean():.3f}"]))
    return lines


def _limits(found: dict[str, dict[str, Artefacts]]) -> list[Row]:
    rows = []
    for look, method in (("default", OWN), ("natural_look false", OWN_STRONG)):
        worst = largest(list(found[method].values()))
        for what, measured, limit, form in zip(
            ("rims along outlines (levels a pixel)", "noise in skies", "patches of colour in skies", "JPEG's blocks in skies"),
            astuple(worst),
            astuple(LIMITS),
            ("{:.2f}", "× {:.1f}", "× {:.1f}", "× {:.1f}"),
            strict=True,
        ):
            target = f"≤ {form.format(limit)}"
            rows.append(Row(f"Real fog, {look}: {what}, largest", form.format(measured), target, measured <= limit))
    return rows


def _others(kept: dict[str, NDArray[np.float64]]) -> list[str]:
    lines = [
        "Photographs without fog (PSNR to the input, identical counted as 60 dB):",
        "",
        "| | median | lowest |",
        "| --- | --- | --- |",
    ]
    return lines + [
        _table_row(method, [f"{np.median(figures):.1f} dB", f"{figures.min():.1f} dB"]) for method, figures in kept.items()
    ]


def _artefacts(found: dict[str, dict[str, Artefacts]]) -> list[str]:
    lines = [
        "Photographs of real fog and haze (`bench/engines/defog/artefacts.py`). Rim: brightness in the smooth surroundings of",
        "outlines that rises where it fell, or rises over 4 times as steeply, in levels a pixel at a long side of 400, hundredth",
        "worst. The others are growths in the smoothest tenth of the picture: of the local standard deviation of luma, of that",
        "of chroma, and of the steps at the borders of JPEG's blocks (of the photograph as a JPEG of quality 60). The largest,",
        "rim / noise / colour / blocks:",
        "",
        f"| | {len(FOGGY)} that were looked at | {len(FOGGY_UNSEEN)} others |",
        "| --- | --- | --- |",
    ]
    for method, by_photo in found.items():
        cells = [_in_words(largest([by_photo[name] for name in names])) for names in (FOGGY, FOGGY_UNSEEN)]
        lines.append(_table_row(method, cells))
    lines += ["", "This engine by photograph:", "", "| | default | natural_look false |", "| --- | --- | --- |"]
    return lines + [
        _table_row(name, [_in_words(found[OWN][name]), _in_words(found[OWN_STRONG][name])]) for name in FOGGY + FOGGY_UNSEEN
    ]


def _in_words(of: Artefacts) -> str:
    return f"{of.rim:.2f} / × {of.noise:.1f} / × {of.colour:.1f} / × {of.blocks:.1f}"


def _by_photograph(gain: NDArray[np.float64], kept: NDArray[np.float64]) -> list[str]:
    lines = [
        "By photograph, default parameters:",
        "",
        "| Photograph | Gain, mean | Gain, lowest | Without fog |",
        "| --- | --- | --- | --- |",
    ]
    rows = zip(MEASURED_ON, gain, kept, strict=True)
    return lines + [
        _table_row(name, [f"{up.mean():+.1f} dB", f"{up.min():+.1f} dB", f"{same:.1f} dB"]) for name, up, same in rows
    ]


def _table_row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
