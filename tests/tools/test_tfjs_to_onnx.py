"""Small TensorFlow.js graphs in packages made here, translated and run, beside the same arithmetic in NumPy."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from onnx import TensorProto, helper
from onnx_graph import GraphWriter, write_or_compare
from tfjs_graph import GraphError, read_graph
from tfjs_to_onnx import Translator

RANDOM = np.random.default_rng(4)


def described(*nodes: tuple[str, str, list[str], dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"op": op, "name": name, "input": inputs, "attr": attributes} for op, name, inputs, attributes in nodes]


def packed(path: Path, nodes: list[dict[str, Any]], constants: dict[str, np.ndarray], *, excess: bytes = b"") -> tuple[Path, str]:
    """A package with one model, its weights cut into two files in the middle of a number; `excess` comes behind them."""
    weights = [{"name": name, "shape": value.shape, "dtype": value.dtype.name} for name, value in constants.items()]
    data = b"".join(value.tobytes() for value in constants.values())
    files = {"first": data[:5], "second": data[5:] + excess}
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": list(files), "weights": weights}]}
    files["model.json"] = json.dumps(model).encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


CONVOLUTION = {
    "strides": {"list": {"i": ["1", "2", "2", "1"]}},
    "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
    "padding": {"s": list(b"SAME")},  # as older converters write strings
    "data_format": {"s": "TkhXQw=="},  # as newer ones do: base64 of NHWC
}


def translated(tmp_path: Path, nodes: list[dict[str, Any]], constants: dict[str, np.ndarray], picture: np.ndarray) -> np.ndarray:
    """What the last node gives for a picture of H × W × C, as H × W × C."""
    graph = read_graph(*packed(tmp_path / "package.tgz", nodes, constants), "package/model.json")
    writer = GraphWriter(half_weights=False)
    result = Translator(graph, writer, {"picture": "picture"}).tensor(nodes[-1]["name"])
    shape = ["N", picture.shape[2], picture.shape[0], picture.shape[1]]
    model = writer.model(
        "test",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, [None] * 4)],
        {},
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run([result], {"picture": picture.transpose(2, 0, 1)[np.newaxis]})[0][0].transpose(1, 2, 0)


def convolved(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """3 × 3, stride 2, TensorFlow's SAME: of one missing row or column, the last is made up."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    padded = np.pad(picture, ((0, 1), (0, 1), (0, 0)))
    windows = np.stack([padded[y : y + 2 * height : 2, x : x + 2 * width : 2] for y in range(3) for x in range(3)], axis=2)
    return np.einsum("hwkc,kco->hwo", windows, weight.reshape(9, weight.shape[2], weight.shape[3]))


def drawn(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def test_a_convolution_takes_in_the_batch_norm_behind_it(tmp_path) -> None:
    constants = {"w": drawn(3, 3, 2, 4), "g": drawn(4), "b": drawn(4), "m": drawn(4), "v": np.abs(drawn(4))}
    nodes = described(
        ("Conv2D", "conv", ["picture", "w"], CONVOLUTION),
        ("FusedBatchNorm", "norm", ["conv", "g", "b", "m", "v"], {"epsilon": {"f": 0.001}}),
        ("Relu6", "out", ["norm"], {}),
    )
    picture = drawn(6, 8, 2)
    scale = constants["g"] / np.sqrt(constants["v"] + 0.001)
    expected = np.clip((convolved(picture, constants["w"]) - constants["m"]) * scale + constants["b"], 0, 6)
    assert translated(tmp_path, nodes, constants, picture) == pytest.approx(expected, abs=1e-5)


def test_a_norm_that_ends_behind_the_skip_connection(tmp_path) -> None:
    constants = {"w": drawn(3, 3, 2, 2), "f": drawn(2), "b": drawn(2)}
    plain = CONVOLUTION | {"strides": {"list": {"i": ["1", "1", "1", "1"]}}}
    nodes = described(
        ("DepthwiseConv2dNative", "conv", ["picture", "d"], plain),
        ("Mul", "scaled", ["conv", "f"], {}),
        ("AddN", "sum", ["scaled", "picture"], {}),
        ("Add", "out", ["b", "sum"], {}),
    )
    constants["d"] = np.zeros((3, 3, 2, 1), np.float32)
    constants["d"][1, 1, :, 0] = 2.0  # twice the picture
    picture = drawn(4, 4, 2)
    expected = 2 * picture * constants["f"] + picture + constants["b"]
    assert translated(tmp_path, nodes, constants, picture) == pytest.approx(expected, abs=1e-5)


def test_fused_convolutions_of_newer_converters(tmp_path) -> None:
    constants = {"w": drawn(3, 3, 2, 4), "b": drawn(4)}
    fused = CONVOLUTION | {"fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdQ=="]}}}  # BiasAdd, Relu
    nodes = described(("_FusedConv2D", "out", ["picture", "w", "b"], fused))
    picture = drawn(6, 8, 2)
    expected = np.maximum(convolved(picture, constants["w"]) + constants["b"], 0)
    assert translated(tmp_path, nodes, constants, picture) == pytest.approx(expected, abs=1e-5)


def test_twice_the_size_at_the_positions_of_tensorflow_1(tmp_path) -> None:
    nodes = described(("ResizeBilinear", "out", ["picture", "size"], {}))
    picture = drawn(2, 2, 1)
    result = translated(tmp_path, nodes, {"size": np.array([4, 4], np.int32)}, picture)
    assert result[::2, ::2] == pytest.approx(picture)
    assert result[1, 0] == pytest.approx((picture[0, 0] + picture[1, 0]) / 2)
    assert result[3, 0] == pytest.approx(picture[1, 0])


def test_what_is_not_known_is_refused(tmp_path) -> None:
    nodes = described(("LRN", "out", ["picture"], {}))
    with pytest.raises(GraphError, match="LRN is not known"):
        translated(tmp_path, nodes, {"a": drawn(2)}, drawn(2, 2, 1))


def test_another_package_is_refused(tmp_path) -> None:
    path, _ = packed(tmp_path / "package.tgz", [], {"a": drawn(2)})
    with pytest.raises(GraphError, match="unexpected package"):
        read_graph(path, "0" * 64, "package/model.json")


def test_a_package_without_the_model_is_refused(tmp_path) -> None:
    path, digest = packed(tmp_path / "package.tgz", [], {"a": drawn(2)})
    with pytest.raises(GraphError, match=r"does not carry package/other\.json"):
        read_graph(path, digest, "package/other.json")


def test_weights_of_another_length_are_refused(tmp_path) -> None:
    with pytest.raises(GraphError, match="4 bytes of weights are left over"):
        read_graph(*packed(tmp_path / "package.tgz", [], {"a": drawn(3)}, excess=b"0000"), "package/model.json")


def test_weights_that_half_precision_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit float16"):
        GraphWriter().weight("large", np.array([1e6]))


def test_a_file_that_differs_is_told(tmp_path, capsys) -> None:
    path = tmp_path / "model.onnx"
    assert write_or_compare(b"content", path, check=True) == 2
    assert write_or_compare(b"content", path, check=False) == 0
    assert write_or_compare(b"content", path, check=True) == 0
    assert write_or_compare(b"other", path, check=True) == 1
    assert "mismatch" in capsys.readouterr().err
