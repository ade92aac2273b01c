"""Enough of HTTP/2 (RFC 9113) and HPACK (RFC 7541) to break its rules, over blocking sockets."""

import contextlib
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL = 8
INSPECT = "/gateway.imagerecognition.v1.PreprocessService/InspectImage"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: bytes, *, indexed: bool = False) -> bytes:
    """A header field with its name and value spelt out; `indexed`, so that it enters the dynamic table."""
    return (b"\x40" if indexed else b"\0") + _text(name.encode()) + _text(value)


def request_headers(path: str = INSPECT, further: bytes = b"") -> bytes:
    """The header block of a gRPC call."""
    fields = [(":method", b"POST"), (":scheme", b"http"), (":path", path.encode()), (":authority", b"x"), ("te", b"trailers")]
    return b"".join(literal(*field) for field in [*fields, ("content-type", b"application/grpc")]) + further


def message(content: bytes, *, compressed: bool = False, claimed: int | None = None) -> bytes:
    """A message with gRPC's prefix; `claimed` is the length that the prefix says, if not the real one."""
    return struct.pack(">BI", compressed, len(content) if claimed is None else claimed) + content


class Connection:
    """One connection to a server that speaks HTTP/2 in clear."""

    def __init__(self, address: str, *, greet: bool = True) -> None:
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        if greet:
            self.send(PREFACE, frame(SETTINGS, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def flood(self, parts: Iterable[bytes], *, seconds: float = 20) -> bool:
        """Send until all is sent, or the server has had enough; whether it took everything."""
        until = time.monotonic() + seconds
        try:
            for part in parts:
                self.socket.settimeout(max(0.01, until - time.monotonic()))
                self.socket.sendall(part)
        except OSError:  # closed, or not read any more
            return False
        return True

    def is_closed_within(self, seconds: float) -> bool:
        """Read, and answer nothing, until the server closes the connection."""
        until = time.monotonic() + seconds
        try:
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(1 << 16):
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True
        return False

    def frames(self, seconds: float = 10) -> Iterator[tuple[int, int, bytes]]:
        """What comes: type, stream, payload; ends with the connection or the time."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = self._exactly(9)
                yield head[3], int.from_bytes(head[5:9], "big"), self._exactly(int.from_bytes(head[:3], "big"))

    def _exactly(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            part = self.socket.recv(count - len(received))
            if not part:
                raise EOFError
            received += part
        return received


def _text(text: bytes) -> bytes:
    """A string without Huffman coding, after its length as an integer with a prefix of 7 bits."""
    length = len(text)
    if length < 127:
        return bytes([length]) + text
    head, rest = b"\x7f", length - 127
    while rest >= 128:
        head += bytes([rest % 128 | 128])
        rest //= 128
    return head + bytes([rest]) + text
