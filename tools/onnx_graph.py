"""Write ONNX graphs whose bytes depend on their content alone, and compare them with files."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper

NDArray = npt.NDArray[Any]

# Old on purpose: every onnxruntime since 1.11 reads this.
OPSET_VERSION: Final = 13
IR_VERSION: Final = 7

_KINDS: Final = {"float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "int64": TensorProto.INT64}


class GraphWriter:
    """Collects nodes and initialisers. With `half_weights`, large weights are stored as float16."""

    def __init__(self, *, half_weights: bool = True) -> None:
        self._half_weights = half_weights
        self._nodes: list[NodeProto] = []
        self._initializers: dict[str, TensorProto] = {}

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: float | str | list[int]) -> str:
        """Append a node named after its only output, and return that output."""
        node = helper.make_node(op, inputs, [output], name=output)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self._nodes.append(node)
        return output

    def constant(self, name: str, value: NDArray, kind: str = "float32") -> str:
        """Store an initialiser, little-endian whatever the machine, and return its name."""
        with np.errstate(over="ignore"):  # looked for below
            data = np.ascontiguousarray(value.astype(np.dtype(kind).newbyteorder("<")))
        if not np.isfinite(data).all():
            msg = f"{name} does not fit {kind}"
            raise ValueError(msg)
        self._initializers[name] = helper.make_tensor(name, _KINDS[kind], data.shape, data.tobytes(), raw=True)
        return name

    def weight(self, name: str, value: NDArray) -> str:
        """Store a large weight as float16 and cast it back (runtimes fold the cast)."""
        if not self._half_weights:
            return self.constant(name, value)
        stored = self.constant(f"{name}.f16", value, "float16")
        return self.node("Cast", [stored], name, to=TensorProto.FLOAT)

    def model(
        self, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto], metadata: Mapping[str, str]
    ) -> ModelProto:
        """Put the collected parts together, and check them."""
        model = helper.make_model(
            helper.make_graph(self._nodes, name, inputs, outputs, list(self._initializers.values())),
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET_VERSION)],
            producer_name=f"convert_{name}",
            producer_version="1",
        )
        helper.set_model_props(model, dict(sorted(metadata.items())))
        checker.check_model(model, full_check=True)
        return model


def write_or_compare(content: bytes, output: Path, *, check: bool) -> int:
    """Write `content` and print its line for `sha256sum`; with `check`, compare with the file instead. Returns an exit status."""
    digest = hashlib.sha256(content).hexdigest()
    if not check:
        output.write_bytes(content)
    elif not output.is_file():
        print(f"error: {output} does not exist", file=sys.stderr)
        return 2
    elif (found := hashlib.sha256(output.read_bytes()).hexdigest()) != digest:
        print(f"mismatch: file {found}, conversion {digest}", file=sys.stderr)
        return 1
    print(f"{digest}  {output.name}")
    return 0
