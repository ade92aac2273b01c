"""As much of HTTP/1.1 as a server needs that must be able to break it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD = 128 << 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `target` is the raw path and query; header names are lower-case, one entry for each line."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for found, value in self.headers if found == name), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `Content-Length` and `Date` are added where it is written."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, length: int | str | None = None) -> bytes:
        """The status line and headers; `length` is what is claimed of the body's, "chunked" for that, None for the truth."""
        framing = (
            {"Transfer-Encoding": "chunked"}
            if length == "chunked"
            else {"Content-Length": len(self.body) if length is None else length}
        )
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**self.headers, **framing}.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def whole(self) -> bytes:
        return self.head() + self.body


async def read_head(reader: asyncio.StreamReader) -> Request:
    """Raises `asyncio.IncompleteReadError` where the peer has nothing more to say, `ValueError` for what is no request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head[:-4].split("\r\n")
    method, target, version = start.split(" ")
    if version != "HTTP/1.1":
        raise ValueError(version)
    pairs = (line.partition(":") for line in lines)
    return Request(method, target, tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs))


async def read_body(reader: asyncio.StreamReader, head: Request) -> Request:
    """The request with its body, of which the length must be known beforehand."""
    if head.header("transfer-encoding"):
        msg = "a body of unknown length"
        raise ValueError(msg)
    body = await reader.readexactly(int(head.header("content-length") or 0))
    return Request(head.method, head.target, head.headers, body)
