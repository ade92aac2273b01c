"""What a picture costs, by operation, and what a process holds, for docs/operations.md. Writes bench/results/sizing.md.

Usage: python -m bench.sizing [--calls N]
CPU time is the process's own, by the kernel's account, so that what else the machine does hardly matters.
"""

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.soak.cloud import running_cloud
from bench.soak.weather import Weather
from bench.streams.pictures import picture
from bench.streams.process import Gateway, running_gateway
from gateway.call import CacheUse
from gateway.client import AsyncGatewayClient
from gateway.media import DarkEnhanceParameters, DefogParameters, UpscaleParameters

RESULTS = Path(__file__).parents[1] / "results" / "sizing.md"

_PHOTO: Final = Path(__file__).parents[2] / "examples/photos/dog.jpg"
_SONG: Final = Path(__file__).parents[2] / "examples/music/harbour-lights.mp4"
_CALM: Final = Weather(share=0.0, storm_every=0, latency=0.0)
_MIB: Final = 1 << 20
_WARM_UP: Final = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call on average: seconds of CPU; bytes that the process grew to."""

    name: str
    cpu: float
    peak: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sizing", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=20, help="of each operation; ten times as many of those that cost little")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the report")
    given = parser.parse_args()
    idle, costs = asyncio.run(_measured(given.calls))
    about = (
        f"Written by `python -m bench.sizing`; {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}. "
        f"One call at a time over one connection, `local.workers` 1, `cache.enabled` false. A process that has just started has "
        f"{idle['local'] / _MIB:.0f} MiB with the engines and {idle['cloud'] / _MIB:.0f} MiB without them.\n"
    )
    lines = [
        "# What a picture costs\n",
        about,
        "| Operation | CPU for one | Most at one core | Process at most |\n| --- | --- | --- | --- |",
        *(
            f"| {each.name} | {each.cpu * 1000:.1f} ms | {1 / each.cpu:.3g} a second | {each.peak / _MIB:.0f} MiB |"
            for each in costs
        ),
    ]
    text = "\n".join(lines)
    print(text)
    given.out.write_text(text + "\n", encoding="utf-8")


async def _measured(calls: int) -> tuple[dict[str, int], list[Cost]]:
    photo, song = _PHOTO.read_bytes(), _SONG.read_bytes()
    large = picture("large", 7 << 20)
    settings: dict[str, object] = {"LOCAL_WORKERS": 1, "CACHE_ENABLED": False, "PREPARE_STRIP_METADATA": True}
    costs, idle = [], {}
    async with (
        running_gateway("http://127.0.0.1:9", settings, provider="local") as gateway,
        AsyncGatewayClient(gateway.address, timeout=300) as client,
    ):
        idle["local"] = gateway.memory
        local: list[tuple[str, int, Callable[[], Awaitable[object]]]] = [
            ("inspect, 100 KB", calls * 10, lambda: client.inspect(photo)),
            ("tag here, 800 × 600", calls, lambda: client.tag(photo, cache=CacheUse.BYPASS)),
            ("brighten here, 800 × 600", calls, lambda: client.enhance(photo, DarkEnhanceParameters())),
            ("defog here, 800 × 600", calls, lambda: client.enhance(photo, DefogParameters())),
            ("enlarge three times here, 800 × 600", calls, lambda: client.enhance(photo, UpscaleParameters())),
            ("recognise music here, one recording", calls, lambda: client.recognise(song)),
        ]
        costs += [await _cost(gateway, name, count, call) for name, count, call in local]
    async with running_cloud(_CALM) as cloud, running_gateway(cloud.url, settings) as gateway:
        idle["cloud"] = gateway.memory
        async with AsyncGatewayClient(gateway.address, timeout=300) as client:
            small = picture("small", 100 << 10)
            remote: list[tuple[str, int, Callable[[], Awaitable[object]]]] = [
                ("tag by the cloud, 100 KB", calls * 10, lambda: client.tag(small)),
                ("tag by the cloud, 7 MB", calls, lambda: client.tag(large)),
            ]
            costs += [await _cost(gateway, name, count, call) for name, count, call in remote]
    return idle, costs


async def _cost(gateway: Gateway, name: str, calls: int, call: Callable[[], Awaitable[object]]) -> Cost:
    for _ in range(_WARM_UP):
        await call()
    cpu = gateway.cpu
    for _ in range(calls):
        await call()
    cost = Cost(name, (gateway.cpu - cpu) / calls, gateway.peak)
    print(cost, file=sys.stderr)
    return cost


if __name__ == "__main__":
    main()
