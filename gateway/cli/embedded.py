"""Tagging without a server: the same use case, in this process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from gateway.client import Load, TaggedItem
from gateway.errors import GatewayError
from gateway.media import TaggingParameters
from gateway.usecases.tagging import TagImage


async def tag_embedded(
    tag_image: TagImage, items: Iterable[tuple[str, Load]], parameters: TaggingParameters, *, window: int
) -> AsyncGenerator[TaggedItem]:
    """Yield the outcome of every item, in order, working on at most `window` of them at once."""
    under_way: deque[asyncio.Task[TaggedItem]] = deque()
    try:
        for item_id, load in items:
            if len(under_way) == window:
                yield await under_way.popleft()
            under_way.append(asyncio.create_task(_tag(tag_image, item_id, load, parameters)))
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _tag(tag_image: TagImage, item_id: str, load: Load, parameters: TaggingParameters) -> TaggedItem:
    try:
        return TaggedItem(item_id, await tag_image(await load(), parameters))
    except GatewayError as error:
        return TaggedItem(item_id, error)
