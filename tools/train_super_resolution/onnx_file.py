"""Writes a trained network as an ONNX file: the same weights always give the same bytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tools.train_super_resolution.networks import SLOPE, reach


def onnx_model(network: nn.Sequential, name: str, *, enlarged: bool) -> bytes:
    """Return the file: `luma`, float32 1 × 1 × H × W, 0–255, gives `detail`, in the same unit.

    `enlarged` tells the gateway whether to feed the bicubic enlargement or the small picture. The scaling of training, luma
    from -0.5 to 0.5, goes into the first and the last layer.
    """
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    nodes, weights, last = [], [], "luma"
    for number, layer in enumerate(network):
        if isinstance(layer, nn.Conv2d):
            weight, bias = (array.detach().numpy().astype(np.float64) for array in (layer.weight, layer.bias))
            if layer is convolutions[0]:
                bias = bias - 0.5 * weight.sum(axis=(1, 2, 3))
                weight = weight / 255
            if layer is convolutions[-1]:
                weight, bias = weight * 255, bias * 255
            names = [f"weight{number}", f"bias{number}"]
            arrays = (np.ascontiguousarray(array, dtype=np.float32) for array in (weight, bias))
            weights += [numpy_helper.from_array(array, label) for array, label in zip(arrays, names, strict=True)]
            node = helper.make_node("Conv", [last, *names], [f"layer{number}"], dilations=layer.dilation)
        elif isinstance(layer, nn.LeakyReLU):
            node = helper.make_node("LeakyRelu", [last], [f"layer{number}"], alpha=SLOPE)
        elif isinstance(layer, nn.PixelShuffle):
            node = helper.make_node("DepthToSpace", [last], [f"layer{number}"], blocksize=layer.upscale_factor, mode="CRD")
        else:
            raise TypeError(layer)
        nodes.append(node)
        last = node.output[0]
    nodes[-1].output[0] = "detail"
    plane = [1, 1, "height", "width"], [1, 1, "detail_height", "detail_width"]
    inputs = [helper.make_tensor_value_info("luma", TensorProto.FLOAT, plane[0])]
    outputs = [helper.make_tensor_value_info("detail", TensorProto.FLOAT, plane[1])]
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    helper.set_model_props(model, {"input": "enlarged" if enlarged else "small", "reach": str(reach(network))})
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised
