"""Files in chunks, both ways, through a real channel with the options that every gRPC client has by default."""

import asyncio
import hashlib
import itertools
import tracemalloc
from collections.abc import AsyncIterator, Sequence

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import enhancement_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import file_pb2
from gateway.media import EnhancedImage, EnhancementReply, ImageFacts
from gateway.rpc.authentication import Authentication
from gateway.rpc.calls import Calls
from gateway.rpc.chunks import CHUNK_BYTES, chunked
from gateway.rpc.enhancement import EnhancementServicer
from gateway.rpc.upload import Upload, UploadLimits
from tests.gates import open_gate

SERVICE = pb.DESCRIPTOR.services_by_name["EnhancementService"].full_name
MAX_BYTES = 24 << 20
FACTS = ImageFacts("png", 2400, 1800, 1, 5)


def noise(seed: int, length: int) -> bytes:
    """Bytes that look like no others."""
    return np.random.default_rng(seed).bytes(length)


FILE = noise(3, 3 * CHUNK_BYTES + 17)


class UseCase:
    """Keeps what it is asked, and answers with a picture of `made` bytes."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.made = b"a picture"

    async def __call__(self, source, parameters, call) -> EnhancedImage:
        self.asked.append(source.data)
        return EnhancedImage(EnhancementReply("local", self.made, FACTS), FACTS)


@pytest.fixture
def enhance() -> UseCase:
    return UseCase()


@pytest.fixture
def calls() -> Calls:
    return Calls(max_held_bytes=MAX_BYTES)


@pytest.fixture
def limits() -> UploadLimits:
    return UploadLimits(MAX_BYTES)


@pytest.fixture
async def channel(enhance, calls, limits) -> AsyncIterator[grpc.aio.Channel]:
    """As of a client that was given no options: it refuses messages over 4 MiB."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)], interceptors=[Authentication(open_gate())])
    pb_grpc.add_EnhancementServiceServicer_to_server(EnhancementServicer(enhance, calls, limits), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


@pytest.fixture
def stub(channel):
    return pb_grpc.EnhancementServiceStub(channel)


def info(data: bytes = FILE, **other: object) -> file_pb2.FileInfo:
    return file_pb2.FileInfo(**({"size_bytes": len(data), "sha256": hashlib.sha256(data).digest()} | other))


def config(upload: file_pb2.FileInfo | None = None, **request: object) -> pb.StreamDefogImageRequest:
    return pb.StreamDefogImageRequest(config=pb.StreamDefogImageConfig(request=pb.DefogImageRequest(**request), upload=upload))


def chunk(offset: int, data: bytes) -> pb.StreamDefogImageRequest:
    return pb.StreamDefogImageRequest(chunk=file_pb2.FileChunk(offset=offset, data=data))


def whole(data: bytes = FILE) -> list[pb.StreamDefogImageRequest]:
    return [config(info(data)), *(chunk(offset, piece) for offset, piece in chunked(data))]


async def answered(call) -> tuple[pb.EnhancedFile, bytes]:
    """The header and the file of a result, each chunk as the contract has it."""
    first = await call.read()
    data = b""
    while (part := await call.read()) is not grpc.aio.EOF:
        assert part.WhichOneof("payload") == "chunk"
        assert part.chunk.offset == len(data)
        assert 0 < len(part.chunk.data) <= CHUNK_BYTES
        data += part.chunk.data
    assert first.header.file == info(data)
    return first.header, data


async def refusal(call) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, str]:
    """Code, info and field of a call that must fail, read with the standard helper."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    told, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(caught.value).details:
        _ = detail.Unpack(told) or detail.Unpack(bad)
    return caught.value.code(), told, bad.field_violations[0].field if bad.field_violations else ""


async def ended(calls: Calls) -> None:
    """Returns once no call is under way any more."""
    assert await calls.ended(5)
    assert calls.held.held == 0


async def test_files_of_any_length_go_both_ways(stub, enhance) -> None:
    """Neither would go in one message: the one not to this server, the other not to this client."""
    given_file = noise(4, 17 << 20)
    enhance.made = noise(5, (30 << 20) + 1)
    header, made = await answered(stub.StreamDefogImage(iter(whole(given_file))))
    assert enhance.asked == [given_file]
    assert made == enhance.made
    assert (header.image.width, header.original.width, header.processing.provider) == (2400, 2400, "local")


async def test_a_server_that_will_take_the_file_says_so_before_it_comes(stub, enhance) -> None:
    call = stub.StreamDefogImage()
    await call.write(config(info()))
    assert dict(await call.initial_metadata())["x-upload-accepted"] == "1"
    for message in whole()[1:]:
        await call.write(message)
    assert enhance.asked == []
    await call.done_writing()
    assert (await answered(call))[1] == b"a picture"


async def test_what_fits_a_message_needs_no_upload(stub, enhance) -> None:
    assert (await answered(stub.StreamDefogImage(iter([config(content=b"small")]))))[1] == b"a picture"
    assert enhance.asked == [b"small"]


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "config"),
        ([pb.StreamDefogImageRequest()], "config"),
        ([chunk(0, b"x")], "config"),
        ([config()], "source"),
        ([config(info(b"abc"), content=b"abc")], "config.upload"),
        ([config(info(size_bytes=-1))], "config.upload.size_bytes"),
        ([config(info(sha256=b""))], "config.upload.sha256"),
        ([config(info(sha256=bytes(33)))], "config.upload.sha256"),
        ([config(info(), gamma=0)], "gamma"),
        ([config(info(), cache=9)], "cache"),
        ([config(content=b"abc"), chunk(0, b"x")], "payload"),
        ([config(content=b"abc"), config(content=b"abc")], "payload"),
        ([config(info()), config(info())], "payload"),
        ([config(info()), pb.StreamDefogImageRequest()], "payload"),
        ([config(info()), chunk(0, b"")], "chunk.data"),
        ([config(info()), chunk(0, FILE[: CHUNK_BYTES + 1])], "chunk.data"),
        ([config(info()), chunk(1, FILE[1:9])], "chunk.offset"),
        ([config(info()), chunk(0, FILE[:9]), chunk(0, FILE[:9])], "chunk.offset"),
        ([config(info()), chunk(-1, FILE[:9])], "chunk.offset"),
        (whole()[:-1], "chunk"),
        ([config(info())], "chunk"),
        ([*whole(), chunk(len(FILE), b"x")], "chunk.data"),
        ([config(info(b"abc")), chunk(0, b"abcd")], "chunk.data"),
        ([config(info(size_bytes=0)), chunk(0, b"x")], "chunk.data"),
        ([config(info(sha256=bytes(32))), *whole()[1:]], "config.upload.sha256"),
        ([config(info(b"abc")), chunk(0, b"abd")], "config.upload.sha256"),
    ],
)
async def test_a_broken_protocol_is_named_and_nothing_is_worked_on(stub, enhance, calls, messages, field) -> None:
    code, told, named = await refusal(stub.StreamDefogImage(iter(messages)))
    assert (code, told.reason, named) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", field)
    assert enhance.asked == []
    await ended(calls)


async def test_bytes_that_are_no_message_are_refused(stub, enhance, channel, calls) -> None:
    call = channel.stream_stream(f"/{SERVICE}/StreamDefogImage", response_deserializer=pb.StreamDefogImageResponse.FromString)
    code, told, field = await refusal(call(iter([config(info()).SerializeToString(), b"\xff\xff"])))
    assert (code, told.reason, field) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", "payload")
    assert enhance.asked == []
    await ended(calls)


async def test_the_status_says_what_came_and_what_was_to_come(stub) -> None:
    _, told, _ = await refusal(stub.StreamDefogImage(iter(whole()[:-1])))
    assert dict(told.metadata) == {"measured": f"{3 * CHUNK_BYTES} bytes", "allowed": f"{len(FILE)} bytes"}
    _, told, _ = await refusal(stub.StreamDefogImage(iter([config(info(b"abc")), chunk(0, b"abd")])))
    assert dict(told.metadata) == {
        name: hashlib.sha256(of).hexdigest() for name, of in (("measured", b"abd"), ("allowed", b"abc"))
    }


async def test_a_file_over_the_limit_is_refused_before_any_of_it_comes(stub) -> None:
    """Nothing but the config is sent, not even the end."""
    call = stub.StreamDefogImage()
    await call.write(config(info(size_bytes=MAX_BYTES + 1)))
    code, told, field = await asyncio.wait_for(refusal(call), 5)
    assert (code, told.reason, field) == (grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_TOO_LARGE", "config.upload.size_bytes")
    assert dict(told.metadata) == {"measured": f"{MAX_BYTES + 1} bytes", "allowed": f"at most {MAX_BYTES} bytes"}


async def test_an_empty_file_is_for_the_use_case_to_refuse(stub, enhance) -> None:
    await answered(stub.StreamDefogImage(iter([config(info(b""))])))
    assert enhance.asked == [b""]


@pytest.mark.parametrize("sent", [0, 1, 3])
async def test_a_client_that_goes_away_leaves_nothing_behind(stub, enhance, calls, caplog, sent) -> None:
    call = stub.StreamDefogImage()
    for message in whole()[: 1 + sent]:
        await call.write(message)
    await call.initial_metadata()
    call.cancel()
    await ended(calls)
    assert enhance.asked == []
    assert not caplog.records


@pytest.mark.parametrize("limits", [UploadLimits(MAX_BYTES, receive_timeout=0.05)])
@pytest.mark.parametrize("messages", [[], whole()[:1], whole()[:2], whole()], ids=["nothing", "config", "part", "all"])
async def test_a_client_that_neither_sends_nor_ends_is_given_up(stub, enhance, calls, messages) -> None:
    call = stub.StreamDefogImage()
    for message in messages:
        await call.write(message)
    code, told, _ = await asyncio.wait_for(refusal(call), 5)
    assert (code, told.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert enhance.asked == []
    await ended(calls)


async def test_a_deadline_ends_an_upload(stub, enhance, calls) -> None:
    call = stub.StreamDefogImage(timeout=0.2)
    await call.write(whole()[0])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await ended(calls)
    assert enhance.asked == []


async def test_what_is_announced_counts_as_held_until_it_is_worked_on(stub, enhance, calls) -> None:
    """A file for which there is no room is refused before it comes, and comes another time."""
    first = stub.StreamDefogImage()
    await first.write(config(info()))
    await first.initial_metadata()
    assert calls.held.held == len(FILE)
    code, told, _ = await refusal(stub.StreamDefogImage(iter([config(info(size_bytes=MAX_BYTES))])))
    assert (code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    first.cancel()
    await ended(calls)
    await answered(stub.StreamDefogImage(iter(whole())))
    await ended(calls)


class Counted(bytes):
    """Counts the pieces that are taken from it."""

    taken = 0

    def __getitem__(self, key):
        Counted.taken += 1
        return super().__getitem__(key)


async def until_held_back() -> int:
    """Returns once no more is taken from what is `Counted`, and how many pieces were."""
    taken = -1
    while taken != Counted.taken:
        taken = Counted.taken
        await asyncio.sleep(0.2)
    return taken


@pytest.fixture
def long_result(enhance, monkeypatch) -> None:
    monkeypatch.setattr(Counted, "taken", 0)
    enhance.made = Counted(noise(6, 60 << 20))


async def test_a_reader_that_does_not_read_holds_the_result_back(stub, long_result) -> None:
    """Flow control lets some megabytes pass, as buffers on the way; the rest is not even cut."""
    call = stub.StreamDefogImage(iter(whole()))
    first = await call.read()
    assert await until_held_back() < 40
    digest = hashlib.sha256()
    while (part := await call.read()) is not grpc.aio.EOF:
        digest.update(part.chunk.data)
    assert Counted.taken == 60
    assert digest.digest() == first.header.file.sha256


async def test_a_reader_that_goes_away_leaves_nothing_behind(stub, long_result, calls, caplog) -> None:
    call = stub.StreamDefogImage(iter(whole()))
    await call.read()
    assert await until_held_back() < 40
    call.cancel()
    await ended(calls)
    assert Counted.taken < 60
    assert not caplog.records


async def taken(messages: Sequence[pb.StreamDefogImageRequest], limits: UploadLimits) -> bytes:
    """What an upload of `messages` comes to."""

    async def stream() -> AsyncIterator[pb.StreamDefogImageRequest]:
        for message in messages:
            yield message

    upload = Upload(stream(), limits)
    return (await upload.source(await upload.config())).data


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_however_a_file_is_cut_it_comes_whole(data, cuts) -> None:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [chunk(start, data[start:end]) for start, end in itertools.pairwise(places)]
    assert asyncio.run(taken([config(info(data)), *pieces], UploadLimits(200))) == data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40), st.integers(1, 10), st.data())
def test_whatever_happens_to_the_messages_only_the_file_is_taken(data, size, draw) -> None:
    """Lost, doubled, swapped: what is not the file is refused as the client's fault."""
    pieces = [chunk(at, data[at : at + size]) for at in range(0, len(data), size)]
    messages = [config(info(data)), *pieces]
    altered = draw.draw(st.lists(st.sampled_from(messages), max_size=len(messages) + 2))
    if altered == messages:
        assert asyncio.run(taken(altered, UploadLimits(40))) == data
        return
    with pytest.raises(GatewayError) as caught:
        asyncio.run(taken(altered, UploadLimits(40)))
    assert caught.value.reason is Reason.INVALID_ARGUMENT


async def length_taken(messages: Sequence[pb.StreamDefogImageRequest], limits: UploadLimits) -> int:
    return len(await taken(messages, limits))


def test_a_file_is_held_once() -> None:
    """Not again as its bytes are handed over, nor before they come, whatever was announced."""
    data = bytes(32 << 20)
    messages = whole(data)
    tracemalloc.start()
    try:
        asyncio.run(length_taken(messages, UploadLimits(len(data))))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        with pytest.raises(GatewayError):
            asyncio.run(length_taken(messages[:2], UploadLimits(len(data))))
        _, most_of_a_part = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1.25 * len(data)
    assert most_of_a_part < 4 * CHUNK_BYTES
