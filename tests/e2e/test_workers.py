"""`serve --workers`: real processes that share a port. Their provider leads nowhere: preparation needs none."""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import requests

from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc

from .conftest import Server, run, started

NOWHERE = {
    "IMAGE_GATEWAY_CLOUD_USER": "someone",
    "IMAGE_GATEWAY_CLOUD_DOMAIN": "account",
    "IMAGE_GATEWAY_CLOUD_PASSWORD": "planted",
}
ARGUMENTS = ["serve", "--provider", "cloud", "--endpoint", "http://127.0.0.1:9", "--iam-endpoint", "http://127.0.0.1:9"]


def workers(server: Server) -> set[int]:
    """The processes that serve."""
    pid = server.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_until(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_the_operators_port_shows_all_workers_together(dog) -> None:
    here = ["serve", "--workers", "2"]  # with the engines: a worker that is ready
    with started(here, IMAGE_GATEWAY_OPS_LISTEN="0") as server:
        (ops,) = re.findall(r"operators' port: http://([^/]+)/", server.logged())
        assert ops.startswith("127.0.0.1:")
        with grpc.insecure_channel(server.address.removesuffix(" workers=2")) as one:
            stub = pb_grpc.PreprocessServiceStub(one)
            stub.InspectImage(pb.InspectImageRequest(content=dog))
        ready = requests.get(f"http://{ops}/readyz", timeout=10).json()
        assert (ready["ready"], ready["degraded"], sorted(ready["workers"])) == (True, False, ["0", "1"])
        changed = requests.put(f"http://{ops}/log-level?level=debug&for=60", timeout=10).json()
        assert changed["workers"] == {"0": True, "1": True}
        page = requests.get(f"http://{ops}/metrics", timeout=10).text
        handled = re.findall(r'^image_gateway_rpc_handled_total{.*InspectImage.*worker="([01])"} 1.0', page, flags=re.MULTILINE)
        assert len(handled) == 1
        assert set(re.findall(r'^process_resident_memory_bytes{worker="(\w+)"}', page, flags=re.MULTILINE)) == {
            "0",
            "1",
            "supervisor",
        }

        os.kill(min(workers(server)), signal.SIGKILL)
        wait_until(lambda: requests.get(f"http://{ops}/readyz", timeout=10).json()["degraded"])
        assert requests.get(f"http://{ops}/readyz", timeout=10).status_code == 200  # the other one serves
        page = requests.get(f"http://{ops}/metrics", timeout=10).text
        assert sorted(re.findall(r"^image_gateway_worker_up{.*} ([01]).0", page, flags=re.MULTILINE)) == ["0", "1"]
        wait_until(lambda: not requests.get(f"http://{ops}/readyz", timeout=10).json()["degraded"], 60)


def test_the_settings_that_are_shown_are_those_after_a_reload(tmp_path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[limit]\nconcurrency = 4\n")
    arguments = [*ARGUMENTS, "--workers", "2", "--config", str(file)]
    with started(arguments, IMAGE_GATEWAY_OPS_LISTEN="0", **NOWHERE) as server:
        (ops,) = re.findall(r"operators' port: http://([^/]+)/", server.logged())

        def shown() -> tuple[object, object]:
            config = requests.get(f"http://{ops}/config", timeout=10).json()
            return config["limit.concurrency"], config.get("workers")

        assert shown() == (4, None)
        file.write_text("[limit]\nconcurrency = 6\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: shown() == (6, None), 60)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started([*ARGUMENTS, "--workers", "2"], **NOWHERE) as server:
        server.address = server.address.removesuffix(" workers=2")
        yield server


def channel(address: str) -> grpc.aio.Channel:
    """With a connection of its own."""
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])


async def test_a_killed_worker_takes_only_its_own_calls_along_and_is_replaced(server, dog) -> None:
    before = workers(server)
    assert len(before) == 2
    item = pb.StreamPrepareImagesRequest(item=pb.StreamPrepareImagesItem(item_id="x", content=dog))
    async with contextlib.AsyncExitStack() as opened:
        streams = []
        for _ in range(24):  # over two workers by chance; all to one: once in 8 million times
            one = await opened.enter_async_context(channel(server.address))
            streams.append(pb_grpc.PreprocessServiceStub(one).StreamPrepareImages())
            await streams[-1].write(item)
            assert (await streams[-1].read()).header.item_id == "x"
        os.kill(min(before), signal.SIGKILL)

        codes = [asyncio.ensure_future(stream.code()) for stream in streams]
        done, others = await asyncio.wait(codes, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        while newly := (await asyncio.wait(others, timeout=0.5))[0]:  # those of the same worker, one soon after the other
            done, others = done | newly, others - newly
        assert {code.result() for code in done} == {grpc.StatusCode.UNAVAILABLE}
        assert others
        for stream in (stream for stream, code in zip(streams, codes, strict=True) if code in others):
            await stream.write(item)
            await stream.done_writing()
            assert (await stream.read()).header.item_id == "x"
            assert (await stream.read()).summary.succeeded == 2
    await asyncio.to_thread(wait_until, lambda: len(workers(server)) == 2)
    assert len(workers(server) & before) == 1


async def test_on_hangup_all_are_replaced_while_calls_go_on(server) -> None:
    before = workers(server)
    request = pb.InspectImageRequest(content=b"x")
    failures, answered = [], 0
    async with channel(server.address) as kept:
        server.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while workers(server) & before:
                try:
                    await pb_grpc.PreprocessServiceStub(kept).InspectImage(request, wait_for_ready=True)
                    answered += 1
                except grpc.aio.AioRpcError as error:
                    failures.append(error.code())
    assert answered > 10
    # One per worker at most: gRPC cancels what comes between a server's good-bye and the client's reading of it.
    assert len(failures) <= 2, failures
    assert set(failures) <= {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    await asyncio.to_thread(wait_until, lambda: len(workers(server)) == 2)


def test_on_sigterm_all_end_and_the_port_is_free() -> None:
    with started([*ARGUMENTS, "--workers", "2"], **NOWHERE) as server:
        assert server.address.endswith(" workers=2")
        processes = workers(server)
        assert server.stop() == 0
        assert not any(map(is_alive, processes))
        assert "Traceback" not in server.logged()


def test_workers_do_not_outlive_their_supervisor() -> None:
    with started([*ARGUMENTS, "--workers", "2"], **NOWHERE) as server:
        processes = workers(server)
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not any(map(is_alive, processes)))


def test_what_is_wrong_with_the_settings_is_said_once() -> None:
    done = run("serve", "--provider", "cloud", "--workers", "3", "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("settings of cloud") == 1


def test_a_port_that_is_taken_is_refused(server) -> None:
    done = run("serve", "--workers", "2", "--listen", server.address)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr
