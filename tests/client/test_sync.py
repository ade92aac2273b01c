"""The client for callers without an event loop."""

import contextlib
import sqlite3
import threading
from concurrent import futures

import grpc
import pytest

from gateway.client import GatewayClient, GatewayError, Reason, StreamFlow, TaggedImage
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc


class Tagging(pb_grpc.TaggingServiceServicer):
    """Answers what it is asked; calls with the id `silent` only once they have ended."""

    def __init__(self) -> None:
        self.streamed = 0
        self.silent = threading.Event()
        self.ended = threading.Event()

    def TagImage(self, request, context):
        if request.request_id == "silent":
            context.add_callback(self.ended.set)
            self.silent.set()
            self.ended.wait(10)
        return pb.TagImageResponse(tags=[pb.Tag(name=request.content.decode())])

    def StreamTagImages(self, request_iterator, context):
        context.add_callback(self.ended.set)
        for request in request_iterator:
            if request.HasField("item"):
                self.streamed += 1
                item = request.item
                response = pb.TagImageResponse(tags=[pb.Tag(name=item.content.decode())])
                yield pb.StreamTagImagesResponse(result=pb.StreamTagImagesResult(item_id=item.item_id, response=response))
        yield pb.StreamTagImagesResponse(summary=stream_pb2.StreamSummary())


@pytest.fixture
def tagging() -> Tagging:
    return Tagging()


@pytest.fixture
def target(tagging):
    server = grpc.server(futures.ThreadPoolExecutor(16))
    pb_grpc.add_TaggingServiceServicer_to_server(tagging, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.fixture
def client(target):
    with GatewayClient(target) as client:
        yield client
    assert not threads()


def threads() -> list[threading.Thread]:
    """Those of clients."""
    return [thread for thread in threading.enumerate() if thread.name == "image-gateway client"]


def name_of(tagged: TaggedImage | GatewayError) -> str:
    assert isinstance(tagged, TaggedImage), tagged
    return tagged.reply.tags[0].name


def test_it_tags(client, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"cat")
    assert name_of(client.tag(path)) == "cat"
    assert name_of(client.tag(b"dog")) == "dog"


def test_a_stream_of_a_generator(client) -> None:
    outcomes = list(client.tag_stream((str(n).encode() for n in range(200)), in_order=True))
    assert [(item.item_id, name_of(item.outcome)) for item in outcomes] == [(str(n), str(n)) for n in range(200)]


def test_an_empty_stream_ends(client) -> None:
    assert list(client.tag_stream([])) == []


def test_a_generator_runs_in_the_caller_s_thread(client) -> None:
    """A database's connection, for instance, belongs to it."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        rows = (str(row[0]).encode() for row in database.execute("VALUES (1), (2), (3)"))
        assert sorted(name_of(item.outcome) for item in client.tag_stream(rows)) == ["1", "2", "3"]


def test_a_generator_is_asked_no_further_than_the_window(client) -> None:
    taken = 0

    def pictures():
        nonlocal taken
        for n in range(50):
            taken += 1
            yield str(n).encode()

    for yielded, _ in enumerate(client.tag_stream(pictures(), flow=StreamFlow(window=4))):
        assert taken <= yielded + 4
    assert taken == 50


def test_what_a_generator_raises_is_raised(client, tagging) -> None:
    def pictures():
        yield b"x"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(client.tag_stream(pictures(), flow=StreamFlow(window=1)))
    assert tagging.ended.wait(5)


def test_leaving_a_stream_early_ends_its_call(client, tagging) -> None:
    with contextlib.closing(client.tag_stream([b"x"] * 100, flow=StreamFlow(window=1))) as stream:
        next(stream)
    assert tagging.ended.wait(5)
    assert tagging.streamed < 5


def test_many_threads_use_one_client(client) -> None:
    def work(number: int) -> list[str]:
        pictures = [f"{number}-{n}".encode() for n in range(30)]
        streamed = [name_of(item.outcome) for item in client.tag_stream(pictures, in_order=True)]
        assert streamed == [picture.decode() for picture in pictures]
        return [name_of(client.tag(picture)) for picture in pictures[:5]]

    with futures.ThreadPoolExecutor(8) as pool:
        for number, names in enumerate(pool.map(work, range(8))):
            assert names == [f"{number}-{n}" for n in range(5)]


def test_errors_are_typed(client) -> None:
    with pytest.raises(GatewayError) as caught:
        client.inspect(b"x")
    assert caught.value.reason is Reason.UNIMPLEMENTED


def test_closing_cancels_what_is_under_way(target, tagging) -> None:
    with futures.ThreadPoolExecutor(1) as pool, GatewayClient(target) as client:
        waiting = pool.submit(client.tag, b"x", request_id="silent")
        assert tagging.silent.wait(5)
        client.close()
        with pytest.raises(GatewayError) as caught:
            waiting.result(5)
    assert caught.value.reason is Reason.CANCELLED


def test_a_closed_client_says_so(target) -> None:
    client = GatewayClient(target)
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.tag(b"x")
    with pytest.raises(RuntimeError, match="closed"):
        list(client.tag_stream([b"x"]))


def test_what_cannot_be_opened_leaves_no_thread() -> None:
    with pytest.raises(TypeError):
        GatewayClient(50051)  # no target
    assert not threads()
