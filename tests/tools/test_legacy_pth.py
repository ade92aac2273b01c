"""The restricted reader of legacy .pth files: what it reads, and above all what it refuses."""

from __future__ import annotations

import collections
import importlib.util
import io
import os
import pickle
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load_tool() -> ModuleType:
    """Import the tool by path: tools/ holds scripts and is not a package."""
    spec = importlib.util.spec_from_file_location("legacy_pth", ROOT / "tools" / "legacy_pth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


legacy_pth = _load_tool()

SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _string(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _numbers(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def _number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _tensor(
    key: str, numel: int, size: tuple[int, ...], stride: tuple[int, ...], *, offset: int = 0, kind: str = "FloatStorage"
) -> bytes:
    """Opcodes of one tensor, as the original writer lays them out."""
    storage = b"(" + _string("storage") + _global("torch", kind) + _string(key) + _string("cpu")
    storage += _number(numel) + b"NtQ"
    hooks = _global("collections", "OrderedDict") + b")R"
    arguments = b"(" + storage + _number(offset) + _numbers(*size) + _numbers(*stride) + b"\x89" + hooks + b"t"
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def _state(tensors: dict[str, bytes]) -> bytes:
    items = b"".join(_string(name) + code for name, code in tensors.items())
    metadata = b"}" + _string("_metadata") + b"}s"  # written by PyTorch as an attribute of the dict
    return b"\x80\x02" + _global("collections", "OrderedDict") + b")R(" + items + b"u" + metadata + b"b."


def _file(
    state: bytes, storages: dict[str, bytes], *, magic: object = None, protocol: object = 1001, system: object = SYSTEM
) -> bytes:
    head = [legacy_pth.MAGIC_NUMBER if magic is None else magic, protocol, system]
    content = b"".join(pickle.dumps(part, protocol=2) for part in head) + state
    return content + pickle.dumps(list(storages), protocol=2) + b"".join(storages.values())


def _data(values: list[float]) -> bytes:
    return struct.pack("<q", len(values)) + np.asarray(values, dtype="<f4").tobytes()


def _sample() -> bytes:
    tensors = {
        "weight": _tensor("1", 6, (2, 3), (3, 1)),
        "transposed": _tensor("1", 6, (3, 2), (1, 3)),
        "tail": _tensor("1", 6, (2,), (1,), offset=4),
        "scalar": _tensor("2", 1, (), (), kind="LongStorage"),
        "empty": _tensor("1", 6, (0, 3), (3, 1)),
    }
    count = struct.pack("<qq", 1, 42)
    return _file(_state(tensors), {"1": _data([0, 1, 2, 3, 4, 5]), "2": count})


class _Call:
    """Pickles as a call of a chosen function, the classic attack."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.function, self.arguments


def test_hand_made_file_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "tiny.pth"
    path.write_bytes(_sample())
    state = legacy_pth.read_legacy_pth(path)
    assert list(state) == ["weight", "transposed", "tail", "scalar", "empty"]
    assert state["weight"].dtype == np.float32
    assert state["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert state["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert state["tail"].tolist() == [4, 5]
    assert state["scalar"].dtype == np.int64
    assert state["scalar"].item() == 42
    assert state["empty"].shape == (0, 3)


def test_arrays_are_independent_and_writable() -> None:
    state = legacy_pth.loads_legacy_pth(_sample())
    state["weight"][0, 0] = 99
    assert state["transposed"][0, 0] == 0


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(_Call(os.system, "exit 1"), id="os.system"),
        pytest.param(_Call(eval, "1 + 1"), id="builtins.eval"),
        pytest.param(_Call(exec, "raise SystemExit"), id="builtins.exec"),
        pytest.param(_Call(getattr, "text", "upper"), id="builtins.getattr"),
        pytest.param(_Call(io.open, "/dev/null"), id="io.open"),
        pytest.param(_Call(collections.Counter, "text"), id="other name of an allowed module"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("place", ["magic", "protocol", "system", "state", "keys"])
def test_forbidden_globals_are_refused_everywhere(attack: _Call, protocol: int, place: str) -> None:
    payload = pickle.dumps(attack, protocol=protocol)
    parts = [pickle.dumps(part, protocol=2) for part in (legacy_pth.MAGIC_NUMBER, 1001, SYSTEM)]
    parts += [_state({"a": _tensor("1", 1, (1,), (1,))}), pickle.dumps(["1"], protocol=2)]
    parts[["magic", "protocol", "system", "state", "keys"].index(place)] = payload
    with pytest.raises(legacy_pth.ForbiddenGlobalError, match="refused global"):
        legacy_pth.loads_legacy_pth(b"".join(parts) + _data([1]))


def test_a_refused_call_leaves_no_trace(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    attack = pickle.dumps(_Call(os.system, f"touch '{witness}'"), protocol=2)
    with pytest.raises(legacy_pth.ForbiddenGlobalError, match="system"):
        legacy_pth.loads_legacy_pth(attack)
    assert not witness.exists()


def test_dotted_name_cannot_reach_through_an_allowed_global() -> None:
    code = b"\x80\x04" + _string("collections") + _string("OrderedDict.__class__") + b"\x93."
    with pytest.raises(legacy_pth.ForbiddenGlobalError):
        legacy_pth.loads_legacy_pth(_file(code, {}))


def test_allowed_globals_cannot_be_altered() -> None:
    rebuild = _global("torch._utils", "_rebuild_tensor_v2")
    state = b"N}" + _string("__call__") + _global("collections", "OrderedDict") + b"s\x86b."
    with pytest.raises(legacy_pth.LegacyFormatError, match="malformed the state dict"):
        legacy_pth.loads_legacy_pth(_file(b"\x80\x02" + rebuild + state, {}))


def test_every_truncation_is_a_clear_error() -> None:
    content = _sample()
    for length in range(len(content)):
        with pytest.raises(legacy_pth.LegacyFormatError) as caught:
            legacy_pth.loads_legacy_pth(content[:length])
        assert "truncated" in str(caught.value) or "malformed" in str(caught.value)


@pytest.mark.parametrize(("length", "message"), [(0, "magic number"), (20, "protocol version"), (-1, "data of storage")])
def test_truncation_says_where(length: int, message: str) -> None:
    with pytest.raises(legacy_pth.LegacyFormatError, match=f"truncated file: .*{message}"):
        legacy_pth.loads_legacy_pth(_sample()[:length])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"PK\x03\x04rest", "zip-based", id="zip"),
        pytest.param(_file(_state({}), {}, magic=7), "wrong magic number", id="magic"),
        pytest.param(_file(_state({}), {}, protocol=1000), "protocol version", id="protocol"),
        pytest.param(_file(_state({}), {}, system={"little_endian": False}), "little-endian", id="byte order"),
        pytest.param(_file(pickle.dumps([1], 2), {}), "state dict", id="not a dict"),
        pytest.param(_file(pickle.dumps({"a": 1}, 2), {}), "named tensors", id="not tensors"),
        pytest.param(_sample() + b"x", "after the last storage", id="trailing bytes"),
        pytest.param(
            _file(_state({"a": _tensor("1", 2, (3,), (1,))}), {"1": _data([1, 2])}), "outside its storage", id="too long"
        ),
        pytest.param(
            _file(_state({"a": _tensor("1", 2, (9,), (0,))}), {"1": _data([1, 2])}), "outside its storage", id="blown up"
        ),
        pytest.param(_file(_state({"a": _tensor("1", 2, (2,), (-1,))}), {"1": _data([1, 2])}), "size or stride", id="negative"),
        pytest.param(_file(_state({"a": _tensor("1", 3, (2,), (1,))}), {"1": _data([1, 2])}), "counts disagree", id="count"),
        pytest.param(_file(_state({"a": _tensor("1", 1, (1,), (1,))}), {"2": _data([1])}), "storage keys", id="keys"),
        pytest.param(_file(b"\x80\x02N" + b"Q.", {}), "storage reference", id="persistent id"),
    ],
)
def test_malformed_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(legacy_pth.LegacyFormatError, match=message):
        legacy_pth.loads_legacy_pth(content)
