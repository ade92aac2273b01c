"""The gRPC port under peers that mean no good: whatever they do, others are served, and memory stays bounded."""

import gzip
import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc

from .conftest import Server, started
from .raw_http2 import (
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    Connection,
    frame,
    literal,
    message,
    request_headers,
)

_MIB = 1 << 20
_ENDS = {(HEADERS, 1), (RST_STREAM, 1)}
_CALL = frame(HEADERS, END_HEADERS, 1, request_headers())
QUICK = {
    "IMAGE_GATEWAY_RPC_HANDSHAKE_TIMEOUT": "1",
    "IMAGE_GATEWAY_RPC_CONNECTION_IDLE": "1",
    "IMAGE_GATEWAY_RPC_KEEPALIVE_TIME": "1",
    "IMAGE_GATEWAY_RPC_KEEPALIVE_TIMEOUT": "1",
    "IMAGE_GATEWAY_RPC_RECEIVE_TIMEOUT": "1",
    "IMAGE_GATEWAY_CLOUD_USER": "someone",
    "IMAGE_GATEWAY_CLOUD_DOMAIN": "account",
    "IMAGE_GATEWAY_CLOUD_PASSWORD": "planted",
}
NOWHERE = ["serve", "--provider", "cloud", "--endpoint", "http://127.0.0.1:9", "--iam-endpoint", "http://127.0.0.1:9"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One for all, so that what an attack leaves behind is met by the next. Its provider leads nowhere: inspecting needs none."""
    with started(NOWHERE, **QUICK) as server:
        yield server
        assert "Traceback" not in server.logged(), server.logged()


def peak(server: Server) -> int:
    """The most resident bytes since the start."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) << 10


@pytest.fixture
def serves(server, dog) -> Iterator[Callable[[], None]]:
    """Calls as everybody makes them, before, during and after; and at most 96 MiB more memory than before."""

    def serves() -> None:
        with grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            reply = pb_grpc.PreprocessServiceStub(channel).InspectImage(pb.InspectImageRequest(content=dog), timeout=20)
        assert reply.image.width == 800

    serves()
    before = peak(server)
    yield serves
    serves()
    assert (peak(server) - before) / _MIB < 96


@pytest.mark.parametrize("words", [b"", PREFACE[:10], PREFACE, PREFACE + frame(SETTINGS, 0, 0)[:5]])
def test_connections_that_never_finish_their_hello_are_closed(words, server, serves) -> None:
    connections = [Connection(server.address, greet=False) for _ in range(50)]
    for connection in connections:
        connection.send(words)
    serves()
    for connection in connections:
        assert connection.is_closed_within(10)
        connection.socket.close()


def test_connections_that_ask_for_nothing_are_closed(server, serves) -> None:
    with Connection(server.address) as connection:
        assert connection.is_closed_within(10)


def test_headers_that_never_end_are_closed(server, serves) -> None:
    with Connection(server.address) as connection:
        connection.send(frame(HEADERS, 0, 1, request_headers()))
        serves()
        assert connection.is_closed_within(10)


@pytest.mark.parametrize("sent", [b"", message(b"x" * 100, claimed=5 * _MIB)], ids=["nothing", "half a message"])
def test_messages_that_never_end_end_their_call(sent, server, serves) -> None:
    with Connection(server.address) as connection:
        connection.send(_CALL, frame(DATA, 0, 1, sent))
        serves()
        assert refused(connection, "4")  # DEADLINE_EXCEEDED


@pytest.mark.parametrize("metadata", [[("x-bomb", "v" * _MIB)], [(f"x-{n}", "v") for n in range(5000)]], ids=["long", "many"])
def test_metadata_over_the_limit_is_refused(metadata, server, serves) -> None:
    unbounded = [("grpc.max_metadata_size", 64 * _MIB), ("grpc.absolute_max_metadata_size", 64 * _MIB)]
    with grpc.insecure_channel(server.address, options=unbounded) as channel, pytest.raises(grpc.RpcError) as caught:
        pb_grpc.PreprocessServiceStub(channel).InspectImage(pb.InspectImageRequest(content=b"x"), metadata=metadata, timeout=20)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_header_table_that_is_referred_to_again_and_again_takes_no_memory(server, serves) -> None:
    """An HPACK bomb: one field of 3 KB in the table, and a byte for each repetition: 600 MB out of 200 KB."""
    entered = literal("x", b"v" * 3000, indexed=True)
    with Connection(server.address) as connection:
        connection.send(frame(HEADERS, 0, 1, request_headers(further=entered)))
        connection.flood(frame(CONTINUATION, 0, 1, b"\xbe" * 16_000) for _ in range(13))
        connection.flood([frame(CONTINUATION, END_HEADERS, 1, b"\xbe")])
        serves()


def test_a_flood_of_continuations_is_bounded(server, serves) -> None:
    with Connection(server.address) as connection:
        connection.send(frame(HEADERS, 0, 1, request_headers()))
        part = frame(CONTINUATION, 0, 1, literal("x", b"v" * 16_000))
        connection.flood((part for _ in range(8000)), seconds=10)  # 128 MB
        serves()


def test_a_flood_of_pings_settings_and_empty_frames_is_survived(server, serves) -> None:
    floods = [frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0), frame(DATA, 0, 1)]
    for flood in floods:
        with Connection(server.address) as connection:
            connection.send(_CALL)
            connection.flood((flood * 100 for _ in range(500)), seconds=10)  # and reads no answer
            serves()


def test_rapid_resets_are_survived(server, serves) -> None:
    """CVE-2023-44487: calls that are taken back as soon as they are made, so that no limit of calls at once is met."""
    with Connection(server.address) as connection:
        block, code = request_headers(), struct.pack(">I", CANCEL)
        calls = (frame(HEADERS, END_HEADERS, n, block) + frame(RST_STREAM, 0, n, code) for n in range(1, 20_000, 2))
        connection.flood(calls, seconds=20)
        serves()


@pytest.mark.parametrize("claimed", [17 * _MIB, (1 << 32) - 1])
def test_a_message_that_claims_too_much_is_refused_before_it_comes(claimed, server, serves) -> None:
    with Connection(server.address) as connection:
        connection.send(_CALL, frame(DATA, 0, 1, message(b"x" * 1000, claimed=claimed)))
        assert refused(connection)


def test_a_message_over_the_limit_is_refused(server, serves) -> None:
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        pb_grpc.PreprocessServiceStub(channel).InspectImage(pb.InspectImageRequest(content=b"x" * (17 * _MIB)), timeout=20)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_compressed_message_that_would_burst_is_refused(server, serves) -> None:
    """256 MiB of zeros in one."""
    bomb = _gzipped_zeros(256 * _MIB)
    assert len(bomb) < 2 * _MIB
    with Connection(server.address) as connection:
        connection.send(frame(HEADERS, END_HEADERS, 1, request_headers(further=literal("grpc-encoding", b"gzip"))))
        parts = message(bomb, compressed=True)
        connection.flood(frame(DATA, 0, 1, parts[start : start + 16_384]) for start in range(0, len(parts), 16_384))
        connection.flood([frame(DATA, END_STREAM, 1)])
        assert refused(connection)


def refused(connection: Connection, status: str = "8") -> bool:
    """Whether the call was ended with that status (RESOURCE_EXHAUSTED), or reset, or the connection with it."""
    ends = [(kind, payload) for kind, stream, payload in connection.frames() if (kind, stream) in _ENDS or kind == GOAWAY]
    return bool(ends) and (ends[0][0] != HEADERS or f"grpc-status\x01{status}".encode() in ends[0][1])


def _gzipped_zeros(size: int) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as packed:
        for _ in range(size // _MIB):
            packed.write(bytes(_MIB))
    return buffer.getvalue()
