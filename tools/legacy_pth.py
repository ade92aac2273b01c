"""Read a legacy (pre-zip) PyTorch ``.pth`` state dict into NumPy, without PyTorch.

A legacy file is a sequence of pickles followed by raw tensor storage::

    pickle  magic number
    pickle  protocol version (1001)
    pickle  dict describing the writing system (byte order, type sizes)
    pickle  the object itself; every storage is a persistent id
    pickle  list of storage keys, in the order in which the data follow
    per key: int64 element count, then the raw little-endian elements

A pickle is a program, so it is run by an unpickler which knows exactly the
four globals that a plain state dict needs.  They are bound to inert stand-ins
kept in this module: no attribute of any importable module is ever looked up,
and a file that asks for anything else is refused.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

MAGIC_NUMBER: Final = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION: Final = 1001

NDArray = npt.NDArray[Any]


class LegacyFormatError(ValueError):
    """The file is not a readable legacy state dict (wrong format, truncated, malformed)."""


class ForbiddenGlobalError(LegacyFormatError):
    """The pickle asks for a global that a plain state dict has no use for."""


class _Storage(NamedTuple):
    """A reference to one block of elements; the data come later in the file."""

    dtype: str
    key: str
    numel: int


class _Tensor(NamedTuple):
    """A strided view of a storage, as the pickle describes it."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _RebuildTensor:
    """Stand-in for ``torch._utils._rebuild_tensor_v2``; it has no state a pickle could alter."""

    __slots__ = ()

    def __call__(
        self,
        storage: object,
        offset: object,
        size: object,
        stride: object,
        requires_grad: object = False,
        backward_hooks: object = None,
    ) -> _Tensor:
        del requires_grad, backward_hooks
        if not isinstance(storage, _Storage) or not isinstance(offset, int) or offset < 0:
            raise LegacyFormatError("malformed tensor record: bad storage or offset")
        shape, strides = _counts(size), _counts(stride)
        if len(shape) != len(strides):
            raise LegacyFormatError("malformed tensor record: size and stride differ in length")
        return _Tensor(storage, offset, shape, strides)


# Storage types are plain strings (NumPy dtype names): immutable and not callable.
_ALLOWED_GLOBALS: Final[Mapping[tuple[str, str], object]] = MappingProxyType(
    {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
        ("torch", "FloatStorage"): "<f4",
        ("torch", "LongStorage"): "<i8",
    }
)
_STORAGE_DTYPES: Final = frozenset({"<f4", "<i8"})


class _RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that resolves the allowed globals and storage references, nothing else."""

    def find_class(self, module_name: str, global_name: str, /) -> object:
        try:
            return _ALLOWED_GLOBALS[module_name, global_name]
        except KeyError:
            raise ForbiddenGlobalError(f"refused global {module_name}.{global_name}: not part of a plain state dict") from None

    def persistent_load(self, pid: object, /) -> _Storage:
        # ("storage", storage type, key, location, element count, view metadata)
        if not isinstance(pid, tuple) or len(pid) != 6 or pid[0] != "storage":
            raise LegacyFormatError("malformed storage reference")
        _, dtype, key, _, numel, view = pid
        if dtype not in _STORAGE_DTYPES or not isinstance(key, str) or not _is_count(numel):
            raise LegacyFormatError("malformed storage reference")
        if view is not None:
            raise LegacyFormatError("storage views are not supported")
        return _Storage(dtype, key, numel)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _counts(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(_is_count(item) for item in value):
        raise LegacyFormatError("malformed tensor record: bad size or stride")
    return value


def _fail_truncated(what: str) -> NoReturn:
    raise LegacyFormatError(f"truncated file: it ends inside {what}")


def _load_pickle(stream: io.BytesIO, what: str) -> object:
    """Run one pickle of the sequence and turn every failure into a clear error."""
    try:
        return _RestrictedUnpickler(stream).load()
    except LegacyFormatError:
        raise
    except EOFError:
        _fail_truncated(what)
    except Exception as error:  # a malformed pickle can raise nearly anything
        if isinstance(error, pickle.UnpicklingError) and "truncated" in str(error):
            _fail_truncated(what)
        raise LegacyFormatError(f"malformed {what}: {error}") from error


def _read_storage(stream: io.BytesIO, storage: _Storage) -> NDArray:
    header = stream.read(8)
    if len(header) != 8:
        _fail_truncated(f"the header of storage {storage.key!r}")
    if int.from_bytes(header, "little", signed=True) != storage.numel:
        raise LegacyFormatError(f"storage {storage.key!r}: element counts disagree")
    dtype = np.dtype(storage.dtype)
    data = stream.read(storage.numel * dtype.itemsize)
    if len(data) != storage.numel * dtype.itemsize:
        _fail_truncated(f"the data of storage {storage.key!r}")
    return np.frombuffer(data, dtype=dtype)


def _materialise(name: str, tensor: _Tensor, data: NDArray) -> NDArray:
    """Copy the described view out of its storage, after checking that it lies within it."""
    if 0 in tensor.size:
        return np.zeros(tensor.size, dtype=data.dtype)
    steps = zip(tensor.size, tensor.stride, strict=True)
    last = tensor.offset + sum((size - 1) * stride for size, stride in steps)
    if last >= data.size or math.prod(tensor.size) > data.size:
        raise LegacyFormatError(f"tensor {name!r} reaches outside its storage")
    view = np.lib.stride_tricks.as_strided(
        data[tensor.offset :],
        shape=tensor.size,
        strides=[stride * data.itemsize for stride in tensor.stride],
        writeable=False,
    )
    return view.copy()


def _read_preamble(stream: io.BytesIO) -> None:
    """Read the three pickles before the object and make sure that they are what we support."""
    if _load_pickle(stream, "the magic number") != MAGIC_NUMBER:
        raise LegacyFormatError("not a legacy .pth file: wrong magic number")
    if _load_pickle(stream, "the protocol version") != PROTOCOL_VERSION:
        raise LegacyFormatError("unsupported legacy protocol version")
    system = _load_pickle(stream, "the system record")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise LegacyFormatError("only little-endian files are supported")


def _read_tensors(stream: io.BytesIO) -> dict[str, _Tensor]:
    """Read the object itself, which has to be a plain state dict."""
    state = _load_pickle(stream, "the state dict")
    if not isinstance(state, dict):
        raise LegacyFormatError("the file does not hold a state dict")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise LegacyFormatError("the state dict holds something other than named tensors")
    return dict(state)


def _read_data(stream: io.BytesIO, tensors: Iterable[_Tensor]) -> dict[str, NDArray]:
    """Read the storages, which have to be exactly those the tensors refer to."""
    storages: dict[str, _Storage] = {}
    for tensor in tensors:
        if storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise LegacyFormatError(f"storage {tensor.storage.key!r} is described in two ways")
    keys = _load_pickle(stream, "the list of storage keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or sorted(keys) != sorted(storages):
        raise LegacyFormatError("the list of storage keys does not fit the state dict")
    return {key: _read_storage(stream, storages[key]) for key in keys}


def loads_legacy_pth(content: bytes) -> dict[str, NDArray]:
    """Decode the bytes of a legacy ``.pth`` file that holds a plain state dict.

    Raises LegacyFormatError when the bytes are anything else, and its subclass
    ForbiddenGlobalError when a pickle asks for a global outside the allow-list.
    """
    if content.startswith(b"PK"):
        raise LegacyFormatError("this is a zip-based .pth file, not a legacy one")
    stream = io.BytesIO(content)
    _read_preamble(stream)
    tensors = _read_tensors(stream)
    data = _read_data(stream, tensors.values())
    if stream.read(1):
        raise LegacyFormatError("unexpected bytes after the last storage")
    return {name: _materialise(name, tensor, data[tensor.storage.key]) for name, tensor in tensors.items()}


def read_legacy_pth(path: Path) -> dict[str, NDArray]:
    """Read a legacy ``.pth`` file from disk; see loads_legacy_pth."""
    return loads_legacy_pth(path.read_bytes())
