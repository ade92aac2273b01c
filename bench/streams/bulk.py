"""Many streams of many pictures, some of them bad: is every one answered once, and as it should be?"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.soak.checks import Check
from bench.soak.cloud import running_cloud
from bench.soak.weather import Weather

from .account import answered_once
from .exchange import exchanged, stubs
from .pictures import REFUSALS, Item, mixed
from .prober import probed
from .process import running_gateway
from .section import Section, prompt

WINDOW = 16
"""The gateway's, for each stream."""


NICE: Final = 10


@dataclass(frozen=True, slots=True)
class Bulk:
    """`bad`: share of the pictures. `gives_way`: whether the clients and the cloud lower their priority, this process for good,
    as if they were on machines of their own; else there is no telling what the gateway adds to the time that health takes."""

    streams: int = 200
    items: int = 500
    bad: float = 0.1
    seed: int = 1
    connections: int = 8
    gives_way: bool = False


async def bulk(plan: Bulk) -> Section:
    """Run all streams at once, health being asked all the while."""
    weather = Weather(plan.seed, share=plan.bad / 2, storm_every=0, latency=0.0, weights=REFUSALS)
    settings = {
        "RPC_STREAM_WINDOW": WINDOW,
        "LIMIT_CONCURRENCY": 32,
        "LIMIT_QUEUE_LENGTH": plan.streams * WINDOW,  # else the streams' own windows overflow it, and items are refused
        "LIMIT_QUEUE_TIME": 600,
    }
    async with (
        running_cloud(weather) as cloud,
        running_gateway(cloud.url, settings) as gateway,
        stubs(gateway.address, plan.connections) as open_stubs,
    ):
        async with probed(gateway.address) as health:
            if plan.gives_way:
                for process in (cloud.pid, os.getpid()):
                    os.setpriority(os.PRIO_PROCESS, process, NICE)
            started_at = time.perf_counter()
            told = await asyncio.gather(
                *(exchanged(open_stubs[number % plan.connections], _items(plan, number)) for number in range(plan.streams))
            )
            seconds = time.perf_counter() - started_at
        books = await cloud.books()
    wanted = [{item.name: item.wanted for item in _items(plan, number)} for number in range(plan.streams)]
    asked = books.received.total()
    checks = [
        *answered_once(told, wanted),
        Check(
            "pictures that the cloud was asked about, each once",
            f"{asked:,}",
            f"{len(books.received):,}",
            asked == len(books.received) >= (1 - plan.bad) * plan.streams * plan.items,
        ),
        prompt(health),
    ]
    count = plan.streams * plan.items
    return Section(
        "Many streams",
        f"{plan.streams} streams at once, {plan.items} pictures each, {plan.bad:.0%} of them bad: refused by the cloud, damaged, "
        f"empty, too small or no pictures. {count:,} items in {seconds:.0f} s ({count / seconds:.0f} a second)."
        + (
            f" The clients and the cloud give way to the gateway and to whoever asks for health (nice {NICE})."
            if plan.gives_way
            else ""
        ),
        checks,
    )


def _items(plan: Bulk, number: int) -> Iterator[Item]:
    return mixed(f"s{number}", plan.items, seed=plan.seed, bad=plan.bad)
