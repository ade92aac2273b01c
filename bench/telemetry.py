"""What being seen costs: CPU of the gateway's process for each call. Writes bench/results/telemetry.md.

Usage: python -m bench.telemetry [--calls CALLS] [--rounds ROUNDS] [--before FOLDER]
FOLDER is a checkout of an earlier state, with its core compiled, to compare with.
The calls are TagImage with a picture whose answer is remembered: little work, so that what is added shows most.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from gateway import _native
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results" / "telemetry.md"
PICTURE = _native.encode(bytes(n % 251 for n in range(64 * 64 * 3)), 64, 64, format="jpeg")
TRACED = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
UNTRACED = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),)

HEAD = """\
# What being seen costs

Written by `python -m bench.telemetry`; {cores} cores, {system}. TagImage with a picture of {size} kB
whose answer is remembered: CPU of the gateway for each call, eight at a time, the least of {rounds} rounds of {calls} calls.
On a machine that others use as well all of them are too high, and differences of a few per cent are noise.

| | µs a call | difference |
| --- | --- | --- |
{rows}
"""

_TICK = os.sysconf("SC_CLK_TCK")


def variants(collector: str, before: Path | None) -> dict[str, tuple[Path, Mapping[str, str], tuple[tuple[str, str], ...]]]:
    """Name → checkout, settings, metadata of the calls."""
    trace = {"IMAGE_GATEWAY_TRACE_ENDPOINT": collector}
    every = {"IMAGE_GATEWAY_LOG_CALLS": "info"}
    earlier = {} if before is None else {"before (no observation of calls)": (before, {}, ())}
    return earlier | {
        "metrics (always on); no traces, calls that succeed not logged": (ROOT, {}, ()),
        "and a line of text for each call": (ROOT, every, ()),
        "and a line of JSON for each call": (ROOT, every | {"IMAGE_GATEWAY_LOG_FORMAT": "json"}, ()),
        "traces on, this call not traced": (ROOT, trace, UNTRACED),
        "traces on, this call traced (3 spans)": (ROOT, trace, TRACED),
    }


@asynccontextmanager
async def collecting() -> AsyncIterator[str]:
    """A collector that takes everything and keeps nothing."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
                await reader.readexactly(int(lengths[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


async def measured(
    folder: Path, settings: Mapping[str, str], metadata: tuple[tuple[str, str], ...], calls: int, rounds: int
) -> float:
    """The least of the rounds' CPU for each call, in microseconds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--listen", "127.0.0.1:0"),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)} | dict(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode()
        async with grpc.aio.insecure_channel(ready.split("=")[1].strip()) as channel:
            stub = pb_grpc.TaggingServiceStub(channel)
            request = pb.TagImageRequest(content=PICTURE)
            for _ in range(calls // 10):
                await stub.TagImage(request, metadata=metadata)
            spent = []
            for _ in range(rounds):
                before = cpu_seconds(process.pid)
                for _ in range(calls // 8):
                    await asyncio.gather(*(stub.TagImage(request, metadata=metadata) for _ in range(8)))
                spent.append((cpu_seconds(process.pid) - before) / (calls // 8 * 8) * 1e6)
        return min(spent)
    finally:
        process.terminate()
        await process.wait()


async def run(calls: int, rounds: int, before: Path | None) -> str:
    async with collecting() as collector:
        rows = []
        for name, (folder, settings, metadata) in variants(collector, before).items():
            rows.append((name, await measured(folder, settings, metadata, calls, rounds)))
            print(*rows[-1], file=sys.stderr, flush=True)
    first = rows[0][1]
    lines = [f"| {name} | {value:.0f} | {value - first:+.0f} |" for name, value in rows]
    return HEAD.format(
        cores=os.cpu_count(),
        system=f"{platform.system()}, Python {platform.python_version()}, load average {os.getloadavg()[1]:.0f}",
        size=round(len(PICTURE) / 1000),
        rounds=rounds,
        calls=calls,
        rows="\n".join(lines),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.telemetry", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    text = asyncio.run(run(given.calls, given.rounds, given.before))
    print(text)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
