"""Work without a server: the same use cases, in this process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

from gateway.client import Item, Load
from gateway.errors import GatewayError
from gateway.media import ImageSource

_Outcome = TypeVar("_Outcome")


async def outcomes_here(
    work: Callable[[ImageSource], Awaitable[_Outcome]], items: Iterable[tuple[str, Load]], *, window: int
) -> AsyncGenerator[Item[_Outcome]]:
    """Yield the outcome of every item, in order, working on at most `window` of them at once."""
    under_way: deque[asyncio.Task[Item[_Outcome]]] = deque()
    try:
        for item_id, load in items:
            if len(under_way) == window:
                yield await under_way.popleft()
            under_way.append(asyncio.create_task(_worked(work, item_id, load)))
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _worked(work: Callable[[ImageSource], Awaitable[_Outcome]], item_id: str, load: Load) -> Item[_Outcome]:
    try:
        return Item(item_id, await work(await load()))
    except GatewayError as error:
        return Item(item_id, error)
