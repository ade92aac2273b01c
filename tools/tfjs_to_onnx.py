"""Translate the convolutional part of a TensorFlow.js graph into ONNX.

Pictures are N × C × H × W in ONNX and N × H × W × C in TensorFlow. What multiplies or is added per channel after a convolution
(batch norm in whatever form the exporter left it) is folded into that convolution, in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx_graph import GraphWriter
from tfjs_graph import Graph, GraphError, NDArray, Node


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A convolution not written yet: what follows may still be folded into it. `weight`: O × I × H × W; `addend`: a skip."""

    source: str
    weight: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    strides: list[int]
    padding: str
    group: int
    addend: str | None = None

    def scaled(self, factor: NDArray) -> _Convolution:
        return replace(self, weight=self.weight * factor[:, np.newaxis, np.newaxis, np.newaxis], bias=self.bias * factor)

    def shifted(self, offset: NDArray) -> _Convolution:
        return replace(self, bias=self.bias + offset)


class Translator:
    """Writes what an output depends on, each operation once."""

    def __init__(self, graph: Graph, writer: GraphWriter, given: dict[str, str]) -> None:
        """`given`: ONNX tensors (N × C × H × W) that stand for nodes of `graph`, such as its prepared input."""
        self._graph = graph
        self._writer = writer
        self._done: dict[str, str] = dict(given)
        self._pending: dict[str, _Convolution] = {}

    def tensor(self, name: str) -> str:
        """The ONNX tensor with the value of a node, written now if it has not been."""
        if name not in self._done:
            value = self._value(name)
            self._done[name] = value if isinstance(value, str) else self._write(name, value)
        return self._done[name]

    def _value(self, name: str) -> str | _Convolution:
        if name in self._done:
            return self._done[name]
        if name not in self._pending:
            value = self._translate(self._graph.nodes[name])
            if isinstance(value, str):
                self._done[name] = value
                return value
            self._pending[name] = value
        return self._pending[name]

    def _translate(self, node: Node) -> str | _Convolution:
        handlers: dict[str, Callable[[Node], str | _Convolution]] = {
            "Conv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "_FusedConv2D": self._fused,
            "FusedDepthwiseConv2dNative": self._fused,
            "FusedBatchNorm": self._batch_norm,
            "BiasAdd": self._arithmetic,
            "Add": self._arithmetic,
            "Mul": self._arithmetic,
            "AddN": self._sum,
            "Relu6": self._relu6,
            "Relu": self._direct,
            "Sigmoid": self._direct,
            "Identity": self._direct,
            "Mean": self._mean,
            "ConcatV2": self._concatenation,
            "ResizeBilinear": self._resize,
        }
        if node.operation not in handlers:
            msg = f"{node.name}: {node.operation} is not known"
            raise GraphError(msg)
        return handlers[node.operation](node)

    def _direct(self, node: Node) -> str:
        return self._writer.node(node.operation, [self.tensor(name) for name in node.inputs], node.name)

    def _relu6(self, node: Node) -> str:
        bounds = [self._writer.constant(f"relu6.{value:g}", np.array(value)) for value in (0.0, 6.0)]
        return self._writer.node("Clip", [self.tensor(node.inputs[0]), *bounds], node.name)

    def _concatenation(self, node: Node) -> str:
        if int(self._graph.constants[node.inputs[-1]]) not in (3, -1):
            msg = f"{node.name}: only channels are put one after another"
            raise GraphError(msg)
        return self._writer.node("Concat", [self.tensor(name) for name in node.inputs[:-1]], node.name, axis=1)

    def _convolution(self, node: Node) -> _Convolution:
        weight = self._graph.constants[node.inputs[1]].astype(np.float64)
        depthwise = "Depthwise" in node.operation
        # TensorFlow has H × W × C × 1, and H × W × I × O.
        weight = weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        if node.text("data_format") != "NHWC" or node.integers("dilations") not in ([], [1, 1, 1, 1]):
            msg = f"{node.name}: only plain NHWC convolutions are known"
            raise GraphError(msg)
        return _Convolution(
            source=self.tensor(node.inputs[0]),
            weight=weight,
            bias=np.zeros(weight.shape[0]),
            strides=node.integers("strides")[1:3],
            padding=node.text("padding"),
            group=weight.shape[0] if depthwise else 1,
        )

    def _fused(self, node: Node) -> str | _Convolution:
        result = self._convolution(node).shifted(self._graph.constants[node.inputs[2]].astype(np.float64))
        match node.texts("fused_ops"):
            case ["BiasAdd"]:
                return result
            case ["BiasAdd", "Relu"]:
                return self._writer.node("Relu", [self._write(f"{node.name}.conv", result)], node.name)
            case other:
                msg = f"{node.name}: {other} is not known"
                raise GraphError(msg)

    def _batch_norm(self, node: Node) -> _Convolution:
        gamma, beta, mean, variance = (self._graph.constants[name].astype(np.float64) for name in node.inputs[1:])
        scale = gamma / np.sqrt(variance + node.attributes["epsilon"]["f"])
        source = self._value(node.inputs[0])
        if isinstance(source, str):
            msg = f"{node.name}: batch norm without a convolution"
            raise GraphError(msg)
        return source.scaled(scale).shifted(beta - mean * scale)

    def _arithmetic(self, node: Node) -> str | _Convolution:
        operation = "Mul" if node.operation == "Mul" else "Add"
        side = next((side for side, name in enumerate(node.inputs) if name in self._graph.constants), None)
        if side is None:
            return self._writer.node(operation, [self.tensor(name) for name in node.inputs], node.name)
        values = self._graph.constants[node.inputs[side]].astype(np.float64)
        source = self._value(node.inputs[1 - side])
        if isinstance(source, _Convolution) and values.ndim == 1 and not (operation == "Mul" and source.addend):
            return source.scaled(values) if operation == "Mul" else source.shifted(values)
        shaped = values if values.ndim == 0 else values.reshape(1, -1, 1, 1)
        constant = self._writer.constant(f"{node.name}.constant", shaped)
        return self._writer.node(operation, [self.tensor(node.inputs[1 - side]), constant], node.name)

    def _sum(self, node: Node) -> _Convolution:
        """Two summands, the first a convolution: the rest of its batch norm comes after the skip connection in some exports."""
        first, second = node.inputs
        source = self._value(first)
        if isinstance(source, str) or source.addend:
            msg = f"{node.name}: a sum of something else than a convolution and a skip"
            raise GraphError(msg)
        return replace(source, addend=self.tensor(second))

    def _mean(self, node: Node) -> str:
        axes = self._graph.constants[node.inputs[1]].tolist()
        if axes != [1, 2] or not node.flag("keep_dims"):
            msg = f"{node.name}: only means over height and width are known"
            raise GraphError(msg)
        return self._writer.node("GlobalAveragePool", [self.tensor(node.inputs[0])], node.name)

    def _resize(self, node: Node) -> str:
        """To twice the size, the only use; positions as TensorFlow 1 computed them."""
        if node.flag("align_corners") or node.flag("half_pixel_centers"):
            msg = f"{node.name}: only TensorFlow 1's resizing is known"
            raise GraphError(msg)
        scales = self._writer.constant("resize.scales", np.array([1.0, 1.0, 2.0, 2.0]))
        return self._writer.node(
            "Resize",
            [self.tensor(node.inputs[0]), "", scales],
            node.name,
            mode="linear",
            coordinate_transformation_mode="asymmetric",
        )

    def _write(self, name: str, conv: _Convolution) -> str:
        attributes: dict[str, Any] = {
            "auto_pad": "SAME_UPPER" if conv.padding == "SAME" else "VALID",
            "group": conv.group,
            "kernel_shape": list(conv.weight.shape[2:]),
            "strides": conv.strides,
        }
        weight = self._writer.weight(f"{name}.weight", conv.weight)
        bias = self._writer.constant(f"{name}.bias", conv.bias)
        output = f"{name}.conv" if conv.addend else name
        self._writer.node("Conv", [conv.source, weight, bias], output, **attributes)
        return self._writer.node("Add", [output, conv.addend], name) if conv.addend else output
