"""How each of the shipped models is trained."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import cv2
import torch
from torch import nn

from tools.train_super_resolution.networks import espcn, initialise, reach, srcnn
from tools.train_super_resolution.onnx_file import onnx_model
from tools.train_super_resolution.patches import Pair, Patches, pair, smaller
from tools.train_super_resolution.photographs import TRAINING, VALIDATION, Photograph, photographs
from tools.train_super_resolution.training import Plan, gains, training

_SEED: Final = 2016

_QUALITIES: Final = (80, 85, 90, 95)
"""Of JPEG, taken in turn. What comes to the gateway is JPEG, and a network that never saw any sharpens its artefacts."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A family of models.

    `network` makes one for a scale; `enlarged`: it looks at the bicubic enlargement; `goes_on`: a scale begins with the
    weights of the one before it. `side`: of a patch, in pixels of what
    it looks at; `batch`: patches in a step. `plans`: by scale, in the order of training.
    """

    name: str
    network: Callable[[int], nn.Sequential]
    enlarged: bool
    goes_on: bool
    side: int
    batch: int
    plans: dict[int, Plan]


RECIPES: Final = {
    "espcn": Recipe("espcn", espcn, False, True, 64, 6, {3: Plan(11_000), 4: Plan(6_000, rate=5e-4)}),
    "srcnn": Recipe("srcnn", srcnn, True, False, 48, 8, {3: Plan(11_000), 4: Plan(14_000)}),
}


def train(recipe: Recipe) -> Iterator[tuple[str, bytes]]:
    """Train the models of a family one after the other; gives the name and the bytes of each file, the last one complete."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(_SEED)
    taught, judged = list(photographs(TRAINING)), list(photographs(VALIDATION))
    network: nn.Sequential | None = None
    for scale, plan in recipe.plans.items():
        before, network = network, recipe.network(scale)
        initialise(network)
        if before is not None and recipe.goes_on:
            _take_over(network, before)
        patches = Patches(_pairs(taught, scale, recipe), side=recipe.side, reach=reach(network))
        clean, jpeg = (
            [pair(each, scale, enlarged=recipe.enlarged, quality=quality) for each in judged] for quality in (None, 90)
        )
        name = f"{recipe.name}_x{scale}"
        for step, average in training(network, patches.batches(recipe.batch, _SEED + scale), plan):
            network = average
            gained, from_jpeg = gains(average, clean, scale), gains(average, jpeg, scale)
            means = f"{fmean(gained):+.3f} dB, from JPEG {fmean(from_jpeg):+.3f}, at least {min(from_jpeg):+.3f}"
            print(f"{name} {step}: {means}", flush=True)
            yield f"{name}.onnx", onnx_model(average, name, enlarged=recipe.enlarged)


def _pairs(taught: list[Photograph], scale: int, recipe: Recipe) -> list[Pair]:
    """All photographs as they are, and once more at three quarters of the size and through JPEG."""
    pairs = [pair(photograph, scale, enlarged=recipe.enlarged) for photograph in taught]
    for photograph, quality in zip(taught, itertools.cycle(_QUALITIES)):
        pairs.append(pair(smaller(photograph), scale, enlarged=recipe.enlarged, quality=quality))
    return pairs


def _take_over(network: nn.Sequential, before: nn.Sequential) -> None:
    """Copy the weights of all layers of the same shape; the last one of an ESPCN has another for each scale."""
    kept = before.state_dict()
    own = network.state_dict()
    network.load_state_dict({key: kept[key] if kept[key].shape == own[key].shape else own[key] for key in own})
