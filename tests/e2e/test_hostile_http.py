"""The REST face and the operators' port under peers that mean no good."""

import contextlib
import gzip
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from .conftest import Server, started, started_rest_face

_MIB = 1 << 20
_REQUEST = b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_LONGEST_BODY = 12_000_000


@pytest.fixture(scope="module")
def face() -> Iterator[Server]:
    with started_rest_face(IMAGE_GATEWAY_REST_HEADER_TIMEOUT="1", IMAGE_GATEWAY_REST_BODY_TIMEOUT="1") as face:
        yield face
        assert "Traceback" not in face.logged(), face.logged()


def peak(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) << 10


@pytest.fixture
def serves(face) -> Iterator[Callable[[], None]]:
    """Requests as everybody makes them, before, during and after; and at most 96 MiB more memory than before."""

    def serves() -> None:
        assert requests.get(f"http://{face.address}/openapi.json", timeout=20).status_code == 200

    serves()
    before = peak(face)
    yield serves
    serves()
    assert (peak(face) - before) / _MIB < 96


def connected(server: Server) -> socket.socket:
    host, port = server.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=10)


def answer(connection: socket.socket, seconds: float = 10) -> bytes:
    """All that comes until the server closes the connection, or the time is over."""
    received, until = b"", time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            part = connection.recv(1 << 16)
            if not part:
                return received
            received += part
    return received


def is_closed_within(connection: socket.socket, seconds: float) -> bool:
    until = time.monotonic() + seconds
    answer(connection, seconds)
    return time.monotonic() < until


@pytest.mark.parametrize("words", [b"", b"PO", _REQUEST], ids=["nothing", "a word", "headers without end"])
def test_headers_that_do_not_end_are_not_waited_for(words, face, serves) -> None:
    connections = [connected(face) for _ in range(200)]
    for connection in connections:
        connection.sendall(words)
    serves()
    for connection in connections:
        assert is_closed_within(connection, 10)
        connection.close()


def test_a_drop_now_and_then_keeps_no_connection_open(face, serves) -> None:
    with connected(face) as connection:
        connection.sendall(_REQUEST)
        until = time.monotonic() + 10
        with contextlib.suppress(OSError):  # reset, or broken pipe
            while time.monotonic() < until:
                connection.sendall(b"X-Drop: 1\r\n")
                time.sleep(0.05)
        assert time.monotonic() < until


def test_a_body_that_does_not_end_is_not_waited_for(face, serves) -> None:
    with connected(face) as connection:
        connection.sendall(_REQUEST + b"Content-Length: 1000\r\n\r\n{")
        serves()
        assert answer(connection).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "headers",
    [b"X-Bomb: " + b"v" * _MIB + b"\r\n", b"".join(b"X-%d: v\r\n" % number for number in range(20_000))],
    ids=["long", "many"],
)
def test_headers_over_the_limit_are_refused(headers, face, serves) -> None:
    with connected(face) as connection:
        with contextlib.suppress(OSError):  # refused before all was sent
            connection.sendall(_REQUEST + headers + b"\r\n")
        told = answer(connection, 5)
        assert told == b"" or told.split()[1] in {b"400", b"431"}


def test_a_body_that_claims_too_much_gets_no_memory(face, token_of, serves) -> None:
    with connected(face) as connection:
        connection.sendall(token_of + b"Content-Length: %d\r\n\r\n" % (200 * _MIB))
        assert answer(connection).split()[1] in {b"400", b"408", b"413"}


def test_a_body_without_end_is_refused_at_the_limit(face, token_of, serves) -> None:
    with connected(face) as connection:
        connection.sendall(token_of + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with contextlib.suppress(OSError):
            connection.settimeout(2)
            while sent < 10 * _LONGEST_BODY:
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        told = answer(connection, 5)
        assert told == b"" or told.split()[1] in {b"400", b"413"}


def test_a_compressed_body_that_would_burst_is_refused(face, token_of, serves) -> None:
    """256 MiB of spaces in a quarter of one."""
    bomb = gzip.compress(b" " * (256 * _MIB), compresslevel=1)
    with connected(face) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(token_of + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        told = answer(connection)
        assert told == b"" or told.split()[1] in {b"400", b"413", b"415"}


@pytest.fixture(scope="module")
def token_of(face) -> bytes:
    """The head of a request by somebody who has signed in."""
    user = {"name": "someone", "password": "planted-password-7431", "domain": {"name": "account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": {"name": "cn-east-3"}}}}
    signed_in = requests.post(f"http://{face.address}/v3/auth/tokens", json=body, timeout=30)
    project = signed_in.json()["token"]["project"]["id"]
    token = signed_in.headers["X-Subject-Token"]
    head = f"POST /v2/{project}/image/tagging HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
    return f"{head}Content-Type: application/json\r\n".encode()


def test_the_operators_port_answers_beside_slow_peers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["serve", "--provider", "cloud", "--endpoint", "http://127.0.0.1:9", "--iam-endpoint", "http://127.0.0.1:9"]
    settings = {
        "OPS_LISTEN": f"127.0.0.1:{port}",
        "CLOUD_USER": "someone",
        "CLOUD_DOMAIN": "account",
        "CLOUD_PASSWORD": "planted",
    }
    with (
        started(arguments, **{f"IMAGE_GATEWAY_{name}": value for name, value in settings.items()}),
        contextlib.ExitStack() as slow,
    ):
        for number in range(300):
            peer = slow.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            peer.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: "[: number % 40])
        told = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=20)
        assert told.status_code == 200
        assert "process_resident_memory_bytes" in told.text
