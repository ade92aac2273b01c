"""Fog removal: how close it comes to the clear picture, what it does to clear ones and to skies, and its cost."""

import time
import tracemalloc
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engines.defog import pictures
from bench.engines.defog.haze import KINDS, hazy
from bench.engines.defog.peers import clahe, dark_channel_prior, tuned_dark_channel_prior
from bench.engines.defog.photographs import FOGGY, LONG_SIDE, MEASURED_ON, TUNED_ON, photograph
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
OWN = "this engine"
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
            Row("12 megapixels, CPU, median", f"{seconds:.2f} s", "≤ 0.6 s", seconds <= 0.6),
            Row("Memory at its peak, of NumPy's arrays, beyond the picture itself", f"{peak:.1f} × the picture"),
        ),
        notes="\n".join([*_by_kind(before, after), "", *_others(kept), "", *_by_photograph(gain, kept[OWN])]),
    )


_METHOD = f"""
{len(MEASURED_ON)} photographs (`MEASURED_ON` in `bench/engines/defog/photographs.py`, from Debian packages, long side
{LONG_SIDE}) that nothing was tuned on, each in {len(KINDS)} kinds of haze (`bench/engines/defog/haze.py`) that aren't made by the
rules the engine assumes, nor by those it was fitted with: fog that ignores what the picture shows, an uneven and tinted airlight,
haze in linear light, sensor noise, JPEG. Default parameters. Fitted and tuned on {len(TUNED_ON)} other photographs (`TUNED_ON`)
by `python -m bench.engines.defog.train`; what spares skies was set by looking at `FOGGY`, real fog without a
true picture. CPU: thread time, one thread, median of {REPEATS} runs, {BIG[0]} × {BIG[1]}.
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


def _others(kept: dict[str, NDArray[np.float64]]) -> list[str]:
    lines = [
        "Photographs without fog (PSNR to the input, identical counted as 60 dB), and skies in photographs of real fog (how much",
        "the local standard deviation in the smoothest tenth of the picture grows: noise, JPEG blocks, bands):",
        "",
        "| | fog-free, median | fog-free, lowest | smoothest tenth of foggy photographs, median | largest |",
        "| --- | --- | --- | --- | --- |",
    ]
    foggy = [photograph(name) for name in FOGGY]
    for method, figures in kept.items():
        grown = [_roughening(photo, METHODS[method](photo)) for photo in foggy]
        cells = [f"{np.median(figures):.1f} dB", f"{figures.min():.1f} dB", f"× {np.median(grown):.1f}", f"× {max(grown):.1f}"]
        lines.append(_table_row(method, cells))
    return lines


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


def _roughening(given: Pixels, made: Pixels) -> float:
    """By how much the local standard deviation (9 × 9, luma) grows where the given picture is smoothest."""
    smooth, rough = _deviation(given), _deviation(made)
    where = smooth <= np.percentile(smooth, 10)
    # A flat region's deviation is that of rounding.
    return float(rough[where].mean() / max(smooth[where].mean(), 0.29))


def _deviation(picture: Pixels) -> NDArray[np.float64]:
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.sqrt(np.maximum(cv2.blur(luma * luma, (9, 9)) - cv2.blur(luma, (9, 9)) ** 2, 0))
