"""Ten thousand connections: what they cost, and whether health answers meanwhile. Writes bench/results/connections.md.

Usage: python -m bench.connections [--connections N] [--idle SECONDS]
The exit status is 1 if something does not hold. Needs as many open files (ulimit -n) as connections, and some.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.soak.checks import Check
from bench.streams.prober import probed
from bench.streams.process import Gateway, running_gateway
from bench.streams.section import all_of, at_most, prompt

RESULTS = Path(__file__).parents[1] / "results" / "connections.md"

PROCESSES: Final = 2
KIBIBYTES_EACH: Final = 64.0
"""What one idle connection may cost."""

_SPARE_FILES: Final = 512
_WATCH_SECONDS: Final = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.connections", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=120.0, metavar="SECONDS", help="rpc.connection_idle of the second part")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the report")
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < given.connections + _SPARE_FILES:
        sys.exit(f"{given.connections} connections need {given.connections + _SPARE_FILES} open files, and ulimit -Hn is {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    checks = asyncio.run(_measured(given.connections, given.idle))
    about = (
        f"Written by `python -m bench.connections`; {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}. {given.connections:,} clients in {PROCESSES} processes connect to one gateway process, "
        f"greet it in HTTP/2, answer its pings, and make no call. `rpc.connection_idle` is {given.idle:g} s.\n"
    )
    lines = [
        "# Ten thousand connections\n",
        about,
        "|  | Found | Wanted |  |\n| --- | --- | --- | --- |",
        *(
            f"| {each.name} | {each.found} | {each.wanted} | {'holds' if each.holds else '**does not hold**'} |"
            for each in checks
        ),
    ]
    text = "\n".join(lines)
    print(text)
    given.out.write_text(text + "\n", encoding="utf-8")
    return 0 if all(check.holds for check in checks) else 1


async def _measured(connections: int, idle: float) -> list[Check]:
    settings = {"RPC_CONNECTION_IDLE": idle, "RPC_KEEPALIVE_TIME": 30}
    async with running_gateway("http://127.0.0.1:9", settings, provider="local") as gateway:
        before, files = gateway.memory, gateway.files
        async with probed(gateway.address) as calm:
            await asyncio.sleep(_WATCH_SECONDS)
        async with contextlib.AsyncExitStack() as opened:
            async with probed(gateway.address) as arriving:
                holders = [
                    await opened.enter_async_context(_holding(gateway, connections // PROCESSES)) for _ in range(PROCESSES)
                ]
                told = await asyncio.gather(*(holder.stdout.readline() for holder in holders if holder.stdout))
                assert all(line.startswith(b"held ") for line in told), told
            memory, held = gateway.memory, gateway.files - files
            async with probed(gateway.address) as meanwhile:
                await asyncio.sleep(_WATCH_SECONDS)
            await asyncio.sleep(idle + _WATCH_SECONDS)
            left = gateway.files - files
        after = gateway.memory
        await gateway.stop()
    return [
        all_of("connections held at once", held, connections // PROCESSES * PROCESSES),
        at_most("memory for each", (memory - before) / connections / 1024, KIBIBYTES_EACH, "KiB"),
        at_most("memory of the process, before", before / 2**20, 1024, "MiB"),
        at_most("memory of the process, with all of them", memory / 2**20, 1024 + connections * KIBIBYTES_EACH / 1024, "MiB"),
        _named("without them: ", prompt(calm)),
        _named("while they arrive: ", prompt(arriving)),
        _named("while they are there: ", prompt(meanwhile)),
        at_most(f"connections left {idle + _WATCH_SECONDS:g} s later", max(0, left), 0, ""),
        at_most("memory of the process, after they have gone", after / 2**20, memory / 2**20 + 16, "MiB"),
    ]


def _named(what: str, check: Check) -> Check:
    return Check(what + check.name, check.found, check.wanted, check.holds)


@contextlib.asynccontextmanager
async def _holding(gateway: Gateway, count: int) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "bench.connections.holder", gateway.address, str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


if __name__ == "__main__":
    sys.exit(main())
