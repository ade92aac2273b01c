"""Fits what `gateway.engines.defog` knows from examples: `gateway/engines/data/defog.npz`. About three minutes of one core.

Usage: python -m bench.engines.defog.train

The photographs are those of `photographs.TUNED_ON`; the haze on them is made by the rules below, which aren't those of
`haze.KINDS`, which it's measured with. The loss is the error of the picture that comes out, relative to that of the hazy one:
what no wrong transmission can spoil doesn't count.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engines.defog.photographs import TUNED_ON, photograph
from gateway.engines.airlight import airlight, brightness_features, opaque_colour
from gateway.engines.defog import REDUCED_SIDE
from gateway.engines.transmission import STEP, features, haze

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parents[3] / "gateway" / "engines" / "data" / "defog.npz"
SEED = 20
EXAMPLES_A_PHOTOGRAPH = 20
PIXELS_AN_EXAMPLE = 400
CLEAR_SHARE = 0.15
HIDDEN = (16, 8)
STEPS, BATCH, RATE, DECAY = 8000, 2048, 4e-3, 1e-3
FIRST_TRUST = 1.5  # of ω's logit: 0.82
RIDGE = 1e-4
LOG_WEIGHT = 0.1  # of the error of the transmission itself, which also holds where a picture is as bright as its fog
LEAST_TRANSMISSION = 0.1
JITTER = 0.1  # of the features, in standard deviations; against learning single photographs by heart


@dataclass(frozen=True, slots=True)
class Example:
    """A photograph in haze that is known. Pictures are H × W × 3, 0–1."""

    hazy: Floats
    clear: Floats
    light: Floats
    transmission: Floats


def examples(names: tuple[str, ...]) -> list[Example]:
    """Each photograph in several hazes."""
    rng = np.random.default_rng(SEED)
    return [_example(clear, rng) for clear in map(photograph, names) for _ in range(EXAMPLES_A_PHOTOGRAPH)]


def fit(drawn: list[Example]) -> dict[str, Floats]:
    """The arrays of the weights' file."""
    weights = _fit_airlight([example for example in drawn if example.transmission.min() < 0.9])
    return {"airlight": weights, **{f"layer{index}": layer for index, layer in enumerate(_fit_trust(drawn, weights))}}


def _example(photo: NDArray[np.uint8], rng: np.random.Generator) -> Example:
    share = rng.uniform(0.6, 1)
    height, width = (int(side * share) for side in photo.shape[:2])
    top, left = rng.integers(photo.shape[0] - height + 1), rng.integers(photo.shape[1] - width + 1)
    part = photo[top : top + height, left : left + width]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    scale = REDUCED_SIDE / max(part.shape)
    clear = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    depth = np.zeros(clear.shape[:2], np.float32) if rng.random() < CLEAR_SHARE else _depth(*clear.shape[:2], rng)
    through = np.exp(-depth)[..., np.newaxis]
    light = np.minimum(rng.uniform(0.65, 1) * np.clip(1 + rng.normal(0, 0.035, 3), 0.8, 1.1), 1).astype(np.float32)
    exposure = np.float32(rng.uniform(0.6, 1.05) if rng.random() < 0.25 else 1)
    clear, light = np.minimum(clear * exposure, 1), light * exposure
    encoding = 2.2 if rng.random() < 0.3 else 1.0
    mixed = (clear**encoding * through + light**encoding * (1 - through)) ** (1 / encoding)
    mixed += rng.normal(0, rng.uniform(0, 2) / 255, mixed.shape).astype(np.float32)
    hazy = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.float32) / 255
    return Example(hazy, clear, light, through[..., 0])


def _depth(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Optical depth: even, a slope in any direction, or a few smooth blotches, perhaps denser below."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    kind = rng.integers(4)
    if kind == 0:
        return np.full((height, width), rng.uniform(0, 1.6), np.float32)
    if kind == 1:
        angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.normal(-np.pi / 2, 0.2)
        slope = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
        slope = (slope - slope.min()) / (slope.max() - slope.min())
        return (rng.uniform(0, 0.4) + rng.uniform(0.3, 1.5) * slope ** rng.uniform(0.7, 2.5)).astype(np.float32)
    side = int(rng.integers(2, 9))
    blotches = cv2.resize(rng.uniform(0, 1, (side, side)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    field = rng.uniform(0, 0.3) + rng.uniform(0.2, 1.5) * np.clip(blotches, 0, 1)
    return (field * (0.4 + y) if kind == 3 else field).astype(np.float32)


def _fit_airlight(drawn: list[Example]) -> Floats:
    """Ridge regression of the light's brightness."""
    rows = np.array([[*brightness_features(example.hazy, opaque_colour(example.hazy)), 1] for example in drawn], np.float64)
    wanted = np.array([example.light.mean() for example in drawn], np.float64)
    penalty = np.diag([RIDGE * len(rows)] * (rows.shape[1] - 1) + [0])
    return np.linalg.solve(rows.T @ rows + penalty, rows.T @ wanted).astype(np.float32)


def _fit_trust(drawn: list[Example], airlight_weights: Floats) -> list[Floats]:
    """Weights and biases of the network, alternating; the features' normalisation is in the first."""
    rng = np.random.default_rng(SEED)
    columns: list[list[Floats]] = [[] for _ in range(7)]
    for example in drawn:
        air = airlight(example.hazy, airlight_weights)
        grid = np.s_[::STEP, ::STEP]
        error = np.full(example.transmission.shape, 1 / (np.mean((example.hazy - example.clear) ** 2) + 0.004), np.float32)
        fields = (example.hazy, example.clear, example.transmission, haze(example.hazy, air), error)
        sampled = [
            features(example.hazy, air),
            *(field[grid] for field in fields),
            np.broadcast_to(air, example.hazy[grid].shape),
        ]
        chosen = rng.integers(0, sampled[0].shape[0] * sampled[0].shape[1], PIXELS_AN_EXAMPLE)
        for column, field in zip(columns, sampled, strict=True):
            column.append(field.reshape(len(error[grid].ravel()), -1)[chosen])
    found, hazy, clear, through, dark, weight, light = (np.concatenate(column) for column in columns)
    mean, deviation = found.mean(axis=0), found.std(axis=0) + np.float32(1e-3)
    normal = (found - mean) / deviation
    sizes = (found.shape[1], *HIDDEN, 1)
    layers: list[Floats] = []
    for above, below in itertools.pairwise(sizes):
        layers += [rng.normal(0, (2 / above) ** 0.5, (above, below)).astype(np.float32), np.zeros((1, below), np.float32)]
    layers[-1] += FIRST_TRUST
    moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]
    for step in range(STEPS):
        rows = rng.integers(0, len(normal), BATCH)
        given = normal[rows] + rng.normal(0, JITTER, (BATCH, sizes[0])).astype(np.float32)
        values = [given]
        for index in range(0, len(layers), 2):
            last = values[-1] @ layers[index] + layers[index + 1]
            values.append(np.maximum(last, 0) if index < len(layers) - 2 else last)
        omega = 1 / (1 + np.exp(-values[-1]))
        t = np.maximum(1 - omega * dark[rows], LEAST_TRANSMISSION)
        contrast = hazy[rows] - light[rows]
        missed = contrast / t + light[rows] - clear[rows]
        slope = (missed * -contrast).mean(axis=1, keepdims=True) / t**2 * weight[rows]
        slope += LOG_WEIGHT * (np.log(t) - np.log(through[rows])) / t
        slope = slope * -dark[rows] * omega * (1 - omega) * (t > LEAST_TRANSMISSION) * (2 / BATCH)
        rate = RATE * np.cos(np.pi / 2 * step / STEPS)
        for index in range(len(layers) - 2, -1, -2):
            gradients = (values[index // 2].T @ slope, slope.sum(axis=0, keepdims=True))
            slope = (slope @ layers[index].T) * (values[index // 2] > 0)
            for which, gradient in zip((index, index + 1), gradients, strict=True):
                _adam(layers[which], moments[which], gradient, step + 1, rate)
                if which == index:
                    layers[which] *= np.float32(1 - rate * DECAY)
    layers[0] = layers[0] / deviation[:, np.newaxis]
    layers[1] = layers[1] - mean[np.newaxis] @ layers[0]
    return [layer.astype(np.float32) for layer in layers]


def _adam(layer: Floats, moments: tuple[Floats, Floats], gradient: Floats, step: int, rate: float) -> None:
    """One step of Adam (Kingma and Ba, 2015), in place."""
    first, second = moments
    first += 0.1 * (gradient - first)
    second += 0.001 * (gradient**2 - second)
    layer -= (rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)).astype(np.float32)


def main() -> None:
    np.savez(WEIGHTS, **fit(examples(TUNED_ON)))


if __name__ == "__main__":
    main()
