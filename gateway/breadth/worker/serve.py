"""The worker's loop: a request in, pixels or a failure out, until its input ends."""

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from .confine import limit_cpu, limit_resources, seal
from .wire import EXIT_MEMORY, MAX_HEADER, PREFIX, Failure, Format, frame_head

if TYPE_CHECKING:
    from .convert import Converter

_OUTPUT: Final = 1


def main(*, memory: int, cpu: float, pictures: int) -> None:
    """Serve `pictures` pictures within the limits of `confine.limit_resources`, then end."""
    limit_resources(memory=memory, cpu=cpu, pictures=pictures)
    try:
        from .convert import Converter  # noqa: PLC0415 - only now: code that is not ours runs within the limits
    except ImportError as error:
        _send({"missing": error.name or "PIL"})
        return
    converter = Converter()
    sealed = seal()
    _send({"version": converter.version, "features": converter.features, "sealed": sealed})
    source = io.FileIO(0, closefd=False)
    try:
        for _ in range(pictures):
            if not _serve_one(source, converter, cpu):
                return
    except MemoryError:
        os._exit(EXIT_MEMORY)  # with no memory left, ending in order might fail, too


def _serve_one(source: io.FileIO, converter: "Converter", cpu: float) -> bool:
    """Answer one request. False if there is none, or no memory for another."""
    prefix = _receive(source, PREFIX.size)
    if not prefix:
        return False
    limit_cpu(cpu)
    header_length, data_length = PREFIX.unpack(prefix)
    if header_length > MAX_HEADER:
        sys.exit("the gateway's request is not one")
    request = json.loads(_receive(source, header_length))
    data = _receive(source, data_length)
    try:
        header, pixels = converter.convert(data, Format(request["format"]), request["max_pixels"])
    except MemoryError:
        header, pixels = {"failure": Failure.MEMORY}, b""
    _send(header, pixels)
    limit_cpu(0)
    return header.get("failure") is not Failure.MEMORY


def _receive(source: io.FileIO, length: int) -> bytes:
    """Exactly `length` bytes, or none at the end of the input."""
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = source.readinto(view)
        if not count:
            return b""
        view = view[count:]
    return bytes(buffer)


def _send(header: dict[str, Any], payload: bytes = b"") -> None:
    for part in (frame_head(header, len(payload)), payload):
        view = memoryview(part)
        while view:
            view = view[os.write(_OUTPUT, view) :]
