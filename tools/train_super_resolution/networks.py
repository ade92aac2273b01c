"""The two networks. Both give luma detail: what has to be added to the bicubic enlargement. None pads."""

from typing import Final

import torch
from torch import nn

SLOPE: Final = 0.1
"""Slope of the leaky rectifiers below zero."""


def espcn(scale: int, *, channels: int = 32, depth: int = 2) -> nn.Sequential:
    """Sub-pixel convolution after Shi et al. 2016: works on the small picture, and the last layer has scale² channels."""
    layers: list[nn.Module] = [nn.Conv2d(1, channels, 5), nn.LeakyReLU(SLOPE)]
    for _ in range(depth):
        layers += [nn.Conv2d(channels, channels, 3), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, nn.Conv2d(channels, scale * scale, 3), nn.PixelShuffle(scale))


def srcnn(scale: int, *, first: int = 32, second: int = 16) -> nn.Sequential:
    """Three layers after Dong et al. 2014: works on the bicubic enlargement.

    At scale 4 the taps of the second and the third filter are two pixels apart: the enlargement is that smooth, and the
    network sees as much of the small picture as at scale 3 for the same work.
    """
    spread = 2 if scale == 4 else 1
    return nn.Sequential(
        nn.Conv2d(1, first, 9),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(first, second, 5, dilation=spread),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(second, 1, 5, dilation=spread),
    )


def reach(network: nn.Sequential) -> int:
    """Pixels that the network's result is smaller by on each side, counted in its input."""
    return sum(layer.kernel_size[0] // 2 * layer.dilation[0] for layer in network if isinstance(layer, nn.Conv2d))


def initialise(network: nn.Sequential) -> None:
    """He et al.'s normal initialisation; the last layer starts near nothing, so that the result starts at bicubic."""
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        nn.init.kaiming_normal_(layer.weight, a=SLOPE)
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        convolutions[-1].weight.mul_(0.1)
