"""The training itself: Adam, cosine learning rate, Charbonnier loss, moving average of the weights."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from tools.train_super_resolution.networks import reach
from tools.train_super_resolution.patches import Pair

_SOFT: Final = 0.01
"""Errors below this, of 1, count by their square, larger ones by their size."""

_FULL_PRECISION: Final = 0.85
"""Share of the steps after which bfloat16, which halves the time, is left for float32."""

_AVERAGE: Final = 0.999
_WARM_UP: Final = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    rate: float = 1e-3


def training(
    network: nn.Sequential, batches: Iterator[tuple[torch.Tensor, torch.Tensor]], plan: Plan, *, every: int = 1000
) -> Iterator[tuple[int, nn.Sequential]]:
    """Train `network`; gives the moving average of its weights `every` so many steps and, last of all, at the end."""
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.rate)
    for step in range(1, plan.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, plan)
        given, detail = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < _FULL_PRECISION * plan.steps):
            got = network(given.to(memory_format=torch.channels_last))
        loss = torch.sqrt((got.float() - detail) ** 2 + _SOFT**2).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimiser.step()
        with torch.no_grad():
            keep = min(_AVERAGE, step / (step + 10))
            for kept, new in zip(average.parameters(), network.parameters(), strict=True):
                kept.lerp_(new, 1 - keep)
        if step % every == 0 or step == plan.steps:
            yield step, average


def gains(network: nn.Sequential, pairs: list[Pair], scale: int) -> list[float]:
    """PSNR of luma over bicubic, dB, of each picture, without its rim."""
    result = []
    for one in pairs:
        margin = reach(network)
        with torch.no_grad():
            given = torch.from_numpy(one.given)[np.newaxis, np.newaxis]
            padded = nn.functional.pad(given, (margin,) * 4, mode="replicate")
            got = network(padded.to(memory_format=torch.channels_last))[0, 0].numpy()
        inner = (slice(scale, -scale), slice(scale, -scale))
        before, after = (float(np.mean(np.square(error[inner]))) for error in (one.detail, one.detail - got))
        result.append(10 * math.log10(before / after))
    return result


def _rate(step: int, plan: Plan) -> float:
    return plan.rate * min(1.0, step / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / plan.steps)) + 1e-6
