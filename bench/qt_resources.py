"""Reads the files out of a Qt resource file (.rcc), which is what Debian's gcompris-qt-data keeps its photographs in.

Format: Qt's `qresource.cpp`. A header of big-endian 32-bit numbers, a tree of nodes, their names (UTF-16), and their data, each
after its length. Only files that are stored as they are can be read, which photographs always are: they do not compress.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_NODE_BYTES = {1: 14, 2: 22, 3: 22}  # by version of the format
_FOLDER, _COMPRESSED = 2, 1 | 4


def read(path: Path) -> dict[str, bytes]:
    """The files that the resource file holds, by their path inside it. Raises `ValueError` for what isn't such a file."""
    content = path.read_bytes()
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", content)
    if magic != b"qres" or version not in _NODE_BYTES:
        msg = f"{path.name} is not a Qt resource file of version 1, 2 or 3"
        raise ValueError(msg)

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", content, names + offset)
        start = names + offset + 6  # the length, and a hash
        return content[start : start + 2 * length].decode("utf-16-be")

    def walk(node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * _NODE_BYTES[version]
        name_offset, flags = struct.unpack_from(">IH", content, at)
        full = f"{folder}/{name_at(name_offset)}" if node else ""
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", content, at + 6)
            for child in range(first, first + count):
                yield from walk(child, full)
        elif not flags & _COMPRESSED:
            (offset,) = struct.unpack_from(">I", content, at + 10)
            (length,) = struct.unpack_from(">I", content, data + offset)
            start = data + offset + 4
            yield full.removeprefix("/"), content[start : start + length]

    return dict(walk(0, ""))
