"""Super-resolution: PSNR and SSIM over bicubic on photographs that nothing was trained on, time, memory and pictures."""

import statistics
from importlib.resources import files

import cv2
import numpy as np

from bench.engines.section import Row, Section
from bench.engines.super_resolution.cost import cpu_time, memory
from bench.engines.super_resolution.pictures import write_picture
from bench.engines.super_resolution.quality import JPEG_QUALITY, OPENCV, PILLOW, Comparison, compare
from gateway.engines.detail import MODELS, SCALES
from gateway.engines.super_resolution import SuperResolution
from tools.train_super_resolution.photographs import HELD_OUT, Photograph, photographs

LEAST_GAIN = {3: 1.2, 4: 0.9}
FARTHEST = 0.3
MOST_MILLISECONDS = 180
MOST_BYTES = 300_000
CROPS = {3: (("astronaut", 50, 160), ("friends_by_Aitzol_Berasategi", 470, 310)), 4: (("coffee", 190, 340), ("brick", 100, 100))}
"""Photograph, top, left."""

METHOD = f"""
{len(HELD_OUT)} photographs of Debian's packages, listed in `tools/train_super_resolution/photographs.py` beside those that
the models were trained on and those that their architecture was chosen with; no photograph is in two lists. Two decisions
were made because of these: to train on JPEG, too, after an early model had fallen behind bicubic on one of them, and to
spread the filters of SRCNN ×4 after it had been 0.43 dB behind ESPCN.

In all three lists large photographs are first made smaller by a whole factor, at least 2, to at most 1280 pixels. Each
is then made smaller by the scale with an antialiased bicubic filter (Pillow's, a = -0.5, as in the literature), enlarged
again, and compared with what it was: PSNR and SSIM of luma (BT.601, 0 to 255) without a rim as wide as the scale. Gains are
over the **better** of two bicubic enlargements of that photograph, Pillow's (a = -0.5) and OpenCV's (a = -0.75). CPU time
is that of the whole process on one thread, best of the rounds; the median is beside it.
"""


def measure() -> Section:
    """Measure all; about two minutes of CPU."""
    cv2.setNumThreads(1)
    engine = SuperResolution()
    held_out = list(photographs(HELD_OUT))
    compared = {scale: [compare(each, scale, engine, MODELS) for each in held_out] for scale in SCALES}
    named = {each.name: each for each in held_out}
    for scale, crops in CROPS.items():
        shown = [(named[name], top, left) for name, top, left in crops]
        write_picture(f"super_resolution-x{scale}.jpg", shown, scale, engine, "ESPCN")
    rows = [*_quality_rows(compared), *_cost_rows(engine, held_out[0])]
    notes = "\n\n".join(_table(scale, comparisons) for scale, comparisons in compared.items())
    return Section("Super-resolution (ESPCN, SRCNN)", METHOD, tuple(rows), notes)


def _quality_rows(compared: dict[int, list[Comparison]]) -> list[Row]:
    rows = []
    mean = {(m, s): statistics.fmean(each.gain(m) for each in compared[s]) for m in MODELS for s in SCALES}
    for scale, comparisons in compared.items():
        gained, target = mean["ESPCN", scale], LEAST_GAIN[scale]
        rows.append(Row(f"ESPCN ×{scale}: mean gain over bicubic", f"{gained:+.2f} dB", f"≥ {target:+.1f} dB", gained >= target))
        behind = gained - mean["SRCNN", scale]
        measured = f"{mean['SRCNN', scale]:+.2f} dB, {abs(behind):.2f} {'behind' if behind > 0 else 'ahead'}"
        rows.append(Row(f"SRCNN ×{scale}: mean gain", measured, f"at most {FARTHEST} dB behind ESPCN", behind <= FARTHEST))
        rows += [_least(model, scale, comparisons, jpeg=jpeg) for jpeg in (False, True) for model in MODELS]
    return rows


def _least(model: str, scale: int, comparisons: list[Comparison], *, jpeg: bool) -> Row:
    gained = [(each.gain(model, jpeg=jpeg), each.name) for each in comparisons]
    least, worst = min(gained)
    beside = f" (mean {statistics.fmean(gain for gain, _ in gained):+.2f} dB)" if jpeg else ""
    source = f", enlarged from a JPEG of quality {JPEG_QUALITY}" if jpeg else ""
    return Row(f"{model} ×{scale}: least gain of a photograph{source}", f"{least:+.2f} dB, {worst}{beside}", "> 0 dB", least > 0)


def _cost_rows(engine: SuperResolution, photograph: Photograph) -> list[Row]:
    vga = np.asarray(cv2.resize(photograph.pixels, (640, 480), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    rows = []
    for model, scale, rounds in (("ESPCN", 3, 11), ("ESPCN", 4, 5), ("SRCNN", 3, 3), ("SRCNN", 4, 3)):
        taken = cpu_time(engine, vga, scale, model, rounds=rounds)
        bounded = (model, scale) == ("ESPCN", 3)
        rows.append(
            Row(
                f"{model}: 640×480 to {640 * scale}×{480 * scale}, CPU time",
                f"{taken.best:.0f} ms (median of {rounds}: {taken.median:.0f})",
                f"≤ {MOST_MILLISECONDS} ms" if bounded else "",
                taken.best <= MOST_MILLISECONDS if bounded else None,
            )
        )
    for model, small, large in (("ESPCN", 1000, 2000), ("SRCNN", 250, 1000)):
        one, other = (memory(model, 4, side) for side in (small, large))
        millions = [(side * 4) ** 2 // 1_000_000 for side in (small, large)]
        measured = f"{one:.0f} MiB for {millions[0]} million pixels out, {other:.0f} MiB for {millions[1]} million"
        name = f"{model} ×4: peak memory beside input and result"
        rows.append(Row(name, measured, "does not grow with the picture", other <= one + 8))
    data = files("gateway.engines") / "data"
    sizes = [len((data / f"{model.lower()}_x{scale}.onnx").read_bytes()) for model in MODELS for scale in SCALES]
    rows.append(Row("largest of the four files", f"{max(sizes) / 1000:.0f} kB", "< 300 kB", max(sizes) < MOST_BYTES))
    return rows


def _table(scale: int, comparisons: list[Comparison]) -> str:
    ways = (PILLOW, OPENCV, *MODELS)
    lines = [
        f"### ×{scale}: PSNR in dB (SSIM)",
        "",
        f"| Photograph | {' | '.join(ways)} | gain of ESPCN | of SRCNN |",
        f"| --- |{' ---: |' * (len(ways) + 2)}",
    ]
    for each in comparisons:
        scores = (f"{each.scores[way].psnr:.2f} ({each.scores[way].ssim:.4f})" for way in ways)
        lines.append(f"| {each.name} | {' | '.join(scores)} | {' | '.join(f'{each.gain(m):+.2f}' for m in MODELS)} |")
    psnr, likeness = ({way: statistics.fmean(e.scores[way][index] for e in comparisons) for way in ways} for index in (0, 1))
    means = (f"{psnr[way]:.2f} ({likeness[way]:.4f})" for way in ways)
    gains = (f"{statistics.fmean(each.gain(m) for each in comparisons):+.2f}" for m in MODELS)
    lines.append(f"| **mean** | {' | '.join(means)} | {' | '.join(gains)} |")
    return "\n".join(lines)
