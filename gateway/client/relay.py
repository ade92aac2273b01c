"""A stream that runs in a loop's thread, fed and read by another thread."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from gateway.client.loop_thread import LoopThread, waited

_Given = TypeVar("_Given")
_Outcome = TypeVar("_Outcome")

_END: Final[Any] = object()


def relayed(
    thread: LoopThread[Any],
    given: Iterable[_Given],
    stream: Callable[[AsyncIterator[_Given]], AsyncGenerator[_Outcome]],
    *,
    window: int,
) -> Iterator[_Outcome]:
    """Yield what `stream` makes of `given`, one outcome for each.

    `given` is iterated by whoever iterates the outcomes, in that thread: a generator may use what belongs to it, a database's
    connection for instance. It is at most `window` items ahead of the outcomes.
    """
    feed: asyncio.Queue[_Given] = asyncio.Queue()
    outcomes = _Outcomes(stream(_fed(feed)))
    source = iter(given)
    under_way, is_more = 0, True
    coming: Future[_Outcome] | None = None
    try:
        while is_more or under_way:
            if is_more and under_way < window:
                item = next(source, _END)
                is_more = item is not _END
                under_way += is_more
                thread.post(feed.put_nowait, item)
                if not under_way:
                    break
                coming = coming or thread.start(outcomes.next())
                if is_more and not coming.done():
                    continue
            coming = coming or thread.start(outcomes.next())
            outcome, coming = waited(coming), None
            under_way -= 1
            yield outcome
        thread.run(outcomes.next(_END))  # the call's end, for a gateway to see it as one that was read to its end
    finally:
        if coming is not None:
            coming.cancel()
        thread.settle(outcomes.aclose())


async def _fed(feed: asyncio.Queue[_Given]) -> AsyncIterator[_Given]:
    while (item := await feed.get()) is not _END:
        yield item


class _Outcomes:
    """A stream that one task at a time touches, so that it can be closed whatever became of the one before."""

    def __init__(self, stream: AsyncGenerator[Any]) -> None:
        self._stream = stream
        self._turn = asyncio.Lock()

    async def next(self, *default: Any) -> Any:  # noqa: ANN401  # an outcome, or the default
        async with self._turn:
            return await anext(self._stream, *default)

    async def aclose(self) -> None:
        async with self._turn:
            await self._stream.aclose()
