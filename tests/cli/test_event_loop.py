"""gRPC's events are all handled in the turn in which they are found: with a real channel, and a server in threads beside it."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc import aio

from gateway.cli.event_loop import EventLoop

CALLS = 600
"""More than there is room for bytes between gRPC's thread and the loop."""


@pytest.fixture
def answering():
    """A server on a loop-free stack: its address, and what is set once all calls have been answered."""
    left, answered = [CALLS], threading.Event()
    lock = threading.Lock()

    def counted() -> None:
        with lock:
            left[0] -= 1
            if not left[0]:
                answered.set()

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(counted)
        return request

    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(answer)}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test", handlers)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}", answered
        server.stop(None).wait()


async def turns_for_answers(address: str, answered: threading.Event) -> int:
    """Turns of the loop from when all answers have come until all calls have ended, the loop having been held meanwhile."""
    async with aio.insecure_channel(address) as channel:
        echo = channel.unary_unary("/test/Echo")
        await channel.channel_ready()
        calls = asyncio.gather(*(echo(b"") for _ in range(CALLS)))
        await asyncio.sleep(0)  # all are sent
        assert answered.wait(20)
        turns = 0
        while not calls.done():
            await asyncio.sleep(0)
            turns += 1
        return turns


def test_events_are_not_handled_one_in_a_turn(answering) -> None:
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        assert runner.run(turns_for_answers(*answering)) < CALLS / 4


def test_what_is_not_grpc_s_is_read_by_its_reader_alone() -> None:
    async def run() -> bytes:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            read: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().add_reader(ours, lambda: read.set_result(ours.recv(100)))
            theirs.send(b"several")
            try:
                return await asyncio.wait_for(read, 5)
            finally:
                asyncio.get_running_loop().remove_reader(ours)

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        assert runner.run(run()) == b"several"
