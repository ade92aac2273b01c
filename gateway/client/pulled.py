"""A caller's items, taken one by one by tasks that come and go."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Pulled(Generic[_Item]):
    """Whoever waits for the next item may be cancelled without it being lost, or its generator ended: the next one waits on."""

    def __init__(self, items: Iterable[_Item] | AsyncIterable[_Item]) -> None:
        self._items = aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        self._pending: asyncio.Task[_Item | None] | None = None

    async def next(self) -> _Item | None:
        """The next item, or None after the last. Raises what the iterable does. One may wait at a time."""
        if isinstance(self._items, Iterator):
            return next(self._items, None)
        if self._pending is None:
            self._pending = asyncio.create_task(_pull(self._items))
        await asyncio.wait({self._pending})  # unlike the task itself, may be cancelled
        pulled, self._pending = self._pending, None
        return pulled.result()

    async def aclose(self) -> None:
        """Stop waiting for the next item."""
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.gather(self._pending, return_exceptions=True)


async def _pull(items: AsyncIterator[_Item]) -> _Item | None:
    return await anext(items, None)
