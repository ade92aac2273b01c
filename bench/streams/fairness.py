"""Streams of large pictures beside one of small ones: does that get its share?"""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.soak.checks import Check
from bench.soak.cloud import running_cloud
from bench.soak.weather import Weather

from .exchange import exchanged, stubs
from .pictures import SMALL, Item, picture
from .process import running_gateway
from .section import Section, all_of

LEAST_SHARE: Final = 0.5
"""Of what a stream of large pictures gets, that the small ones' must get in the same time."""

_ENDLESS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Fairness:
    """`large` streams of pictures of `size` bytes, and one of `items` small ones. `held`: the setting `rpc.max_held_bytes`, less
    than the large ones' windows hold."""

    large: int = 8
    size: int = 4 << 20
    items: int = 200
    held: int = 128 << 20


async def fairness(plan: Fairness) -> Section:
    """Start the large ones, then send the small ones, and count what is answered until those are through."""
    settings = {"RPC_MAX_HELD_BYTES": plan.held, "LIMIT_CONCURRENCY": 8, "CACHE_ENABLED": False}
    calm = Weather(share=0.0, storm_every=0, latency=0.01)
    async with (
        running_cloud(calm) as cloud,
        running_gateway(cloud.url, settings) as gateway,
        stubs(gateway.address, plan.large + 1) as (small, *others),
    ):
        large = [
            asyncio.create_task(exchanged(stub, _items(f"large{number}", _ENDLESS, plan.size)))
            for number, stub in enumerate(others)
        ]
        await asyncio.sleep(_settled(plan))
        before = await cloud.books()
        told = await exchanged(small, _items("small", plan.items, SMALL))
        after = await cloud.books()
        for task in large:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*large)
    answered = after.answered - before.answered
    each = sum(times for name, times in answered.items() if name.startswith("large")) / plan.large
    share = plan.items / max(1.0, each)
    return Section(
        "Fairness",
        f"{plan.large} streams of pictures of {plan.size >> 20} MiB that never end, and one of {plan.items} small ones, of "
        f"the same tenant; `rpc.max_held_bytes` is {plan.held >> 20} MiB, which the large ones fill.",
        [
            all_of("small pictures tagged", sum(found is None for _, found in told.outcomes), plan.items),
            Check(
                "small pictures, for each one that a stream of large ones got through",
                f"{share:.2f}",
                f"at least {LEAST_SHARE}",
                share >= LEAST_SHARE,
            ),
        ],
    )


def _settled(plan: Fairness) -> float:
    """Seconds after which the large ones hold what they may."""
    return 0.5 + 4 * plan.held / (1 << 30)


def _items(stream: str, count: int, size: int) -> Iterator[Item]:
    for number in range(count):
        name = f"{stream}-{number}"
        yield Item(name, picture(name, size), None)
