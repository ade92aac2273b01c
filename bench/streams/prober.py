"""How long health takes to answer, asked in a process of its own, so that a busy client does not count.

Usage: python -m bench.streams.prober HOST:PORT. It asks until its standard input ends, then prints the seconds of each call as
JSON; a call that is not answered with SERVING counts as infinite.
"""

import asyncio
import contextlib
import json
import math
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_PAUSE = 0.02
_LONGEST = 10.0


@contextlib.asynccontextmanager
async def probed(address: str) -> AsyncIterator[list[float]]:
    """Ask inside; the seconds are in the list after the end, in ascending order."""
    seconds: list[float] = []
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, address, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await process.stdout.readline()  # it asks
        yield seconds
    finally:
        process.stdin.close()
        seconds += sorted(json.loads(await process.stdout.read()))
        await process.wait()


def _ask(stub: health_pb2_grpc.HealthStub) -> float:
    started_at = time.perf_counter()
    try:
        status = stub.Check(health_pb2.HealthCheckRequest(), timeout=_LONGEST).status
    except grpc.RpcError:
        return math.inf
    return time.perf_counter() - started_at if status == health_pb2.HealthCheckResponse.SERVING else math.inf


def main() -> None:
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    seconds = []
    with grpc.insecure_channel(sys.argv[1]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        _ask(stub)  # connects
        print("asking", flush=True)
        while not ended.wait(_PAUSE):
            seconds.append(_ask(stub))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
