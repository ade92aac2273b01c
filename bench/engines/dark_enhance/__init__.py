"""Dark enhancement: how close to the truth, at what cost, and what it does to noise, colours and good pictures."""

import statistics
import time
from itertools import pairwise

import cv2
import numpy as np

from bench.engines.dark_enhance import before_after
from bench.engines.dark_enhance.colour_chart import chart, hue_errors, relative_noise
from bench.engines.dark_enhance.darkening import LINEAR, Camera
from bench.engines.dark_enhance.fidelity import Score, fidelity_table, scores
from bench.engines.dark_enhance.peak_memory import peak_memory
from bench.engines.dark_enhance.photographs import MEASURED_ON, TUNED_ON, load
from bench.engines.quality import psnr
from bench.engines.section import Row, Section
from gateway.engines.dark_enhance import enhance_dark

METHOD = f"""\
{len(MEASURED_ON)} photographs (`mate-backgrounds`, `plasma-workspace-wallpapers`) that no constant was chosen on, at most 960 px
wide, each darkened three times with drawn, seeded settings: exposure 1/20 to 1/4 in linear light, a cast of ±10 % per colour,
shot noise of 1500 to 10 000 electrons at white and read noise of 2 to 6, rounding to 8-bit sRGB, and in half the cases JPEG at
quality 92. Constants were chosen on {len(TUNED_ON)} other photographs (`examples/photos`, `lomiri-wallpapers-16.04`, `-20.04`).
Compared with the photograph itself: PSNR over all samples, SSIM of luma. The default (brightness 0.9) throughout. CPU seconds
are process time on one thread. Noise and hue are measured on the 24 patches of a colour chart, darkened alike but without
cast."""


def measure() -> Section:
    """All figures; writes the pictures."""
    cv2.setNumThreads(1)
    even, tuned, uneven = scores(MEASURED_ON), scores(TUNED_ON), scores(MEASURED_ON, uneven=True)
    rows = [*_fidelity(even, tuned, uneven), *_good_pictures(), *_chart(), _monotone(), *_cost()]
    notes = [
        "### By exposure, and other ways",
        "Means; each way got the same dark photographs.",
        fidelity_table(even),
        "### Pictures",
        *before_after.write(),
    ]
    return Section("Dark enhancement", METHOD, tuple(rows), "\n\n".join(notes))


def _fidelity(even: list[Score], tuned: list[Score], uneven: list[Score]) -> list[Row]:
    gains = [score.gain for score in even]
    similar = [score.after.ssim for score in even]
    gain, ssim = statistics.mean(gains), statistics.mean(similar)
    return [
        Row("PSNR over the dark input", f"+{gain:.1f} dB (mean), +{min(gains):.1f} dB (least)", "≥ +8 dB", gain >= 8),
        Row("PSNR, dark input → output", f"{_mean_psnr(even)} dB"),
        Row("SSIM, dark input → output", f"{_mean_ssim(even)} (least {min(similar):.2f})", "≥ 0.80", ssim >= 0.80),
        Row("SSIM of colour, dark input → output", f"{_mean_ssim(even, colour=True)}"),
        Row("the same on the photographs that it was tuned on", f"{_mean_psnr(tuned)} dB, SSIM {_mean_ssim(tuned)}"),
        Row("the same in uneven light (a smooth field of two stops more)", f"{_mean_psnr(uneven)} dB, SSIM {_mean_ssim(uneven)}"),
    ]


def _mean_psnr(of: list[Score]) -> str:
    return f"{statistics.mean(s.before.psnr for s in of):.1f} → {statistics.mean(s.after.psnr for s in of):.1f}"


def _mean_ssim(of: list[Score], *, colour: bool = False) -> str:
    pairs = [(s.before.colour, s.after.colour) if colour else (s.before.ssim, s.after.ssim) for s in of]
    return f"{statistics.mean(a for a, _ in pairs):.2f} → {statistics.mean(b for _, b in pairs):.2f}"


def _good_pictures() -> list[Row]:
    untouched, changed = 0, []
    for name in MEASURED_ON:
        photograph = load(name)
        enhanced = enhance_dark(photograph)
        if np.array_equal(enhanced, photograph):
            untouched += 1
        else:
            changed.append((psnr(enhanced, photograph), name.split(": ")[1]))
    said = ", ".join(f"{name} {value:.1f} dB" for value, name in sorted(changed)) or "none"
    return [
        Row("well-lit photographs returned as they were", f"{untouched} of {len(MEASURED_ON)}"),
        Row("PSNR of the others against themselves", said),
    ]


def _chart() -> list[Row]:
    truth = chart()
    noises, hues_before, hues_after = [], [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        drawn = Camera.drawn(random)
        camera = Camera(drawn.exposure, np.ones(3), drawn.electrons, drawn.read_noise, drawn.quality)
        dark = camera.take(truth, random)
        light = enhance_dark(dark)
        noises.append(relative_noise(LINEAR[light]) / np.maximum(relative_noise(LINEAR[dark]), 1e-3))
        hues_before.append(hue_errors(dark, truth))
        hues_after.append(hue_errors(light, truth))
    noise = np.array(noises)
    return [
        Row(
            "noise of flat patches, relative to their light, output over input",
            f"× {np.median(noise):.2f} (median), × {np.percentile(noise, 95):.2f} (95th percentile)",
            "≤ × 1",
            bool(np.percentile(noise, 95) <= 1),
        ),
        Row(
            "hue error of coloured patches (CIELAB), dark input → output",
            f"{np.mean(hues_before):.1f}° → {np.mean(hues_after):.1f}° (mean), "
            f"{np.percentile(hues_before, 95):.1f}° → {np.percentile(hues_after, 95):.1f}° (95th percentile)",
        ),
    ]


def _monotone() -> Row:
    darker = samples = 0
    for seed, name in enumerate(MEASURED_ON[::4]):
        random = np.random.default_rng([seed, 99])
        dark = Camera.drawn(random).take(load(name, 480), random)
        steps = [enhance_dark(dark, brightness=step / 10) for step in range(11)]
        darker += sum(int(np.count_nonzero(after < before)) for before, after in pairwise(steps))
        samples += 10 * dark.size
    return Row("samples that become darker as brightness grows, 0 to 1 by 0.1", f"{darker} of {samples}", "0", darker == 0)


def _cost() -> list[Row]:
    random = np.random.default_rng(12)
    dark = cv2.resize(Camera.drawn(random).take(load(MEASURED_ON[0]), random), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    seconds = []
    for _ in range(7):
        start = time.process_time()
        enhance_dark(dark)
        seconds.append(time.process_time() - start)
    best, median = min(seconds), statistics.median(seconds)
    memory = peak_memory(4000, 3000)
    return [
        Row("12 MP (4000×3000), CPU", f"{best:.2f} s (best of 7), {median:.2f} s (median)", "≤ 0.6 s", median <= 0.6),
        Row("12 MP, memory at its peak besides the picture", f"{memory:.0f} MB ({memory / 36:.1f} × the picture)"),
    ]
