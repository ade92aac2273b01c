"""A second attempt while a slow first one is still under way ("The Tail at Scale", Dean and Barroso 2013)."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.retry import may_have_worked
from gateway.upstream.resilience.settings import HedgeSettings

UnderWay = Callable[[], AbstractContextManager[None]]
"""Makes a context to be inside of for as long as a request is under way; one for each request of an attempt."""

First = Callable[[UnderWay], Coroutine[Any, Any, Attempt]]
"""Makes one attempt, and tells when its requests are under way. Raises `GatewayError` if it could not be made."""

Second = Callable[[], Coroutine[Any, Any, Attempt]]
"""Makes one attempt. Raises `GatewayError` if it could not be made."""

_CONCLUSIVE: Final = frozenset({Outcome.SUCCESS, Outcome.REFUSED})
"""Nothing that the other attempt brings could be better."""

_End = Attempt | GatewayError


class HedgePolicy:
    """Decides whether a second attempt may be made."""

    def __init__(self, settings: HedgeSettings, budget: RetryBudget, has_room: Callable[[], bool]) -> None:
        """`budget`: that of all further attempts, which hedges share with retries. `has_room`: whether the second attempt would
        take no other call's turn."""
        self._after = settings.after
        self._share = RetryBudget(settings.share, 1)
        self._budget = budget
        self._has_room = has_room

    async def run(self, first: First, second: Second) -> Attempt:
        """Make the `first` attempt and, if a request of it takes too long, the `second` as well; see `hedged`."""
        if self._after is None:
            return await first(contextlib.nullcontext)
        self._share.deposit()
        return await hedged(first, second, self._after, self._permits)

    def _permits(self) -> bool:
        # The scarcer is asked first, and paid last: nothing is taken in vain.
        return self._share.tokens >= 1.0 and self._has_room() and self._budget.withdraw() and self._share.withdraw()


async def hedged(first: First, second: Second, after: float, permits: Callable[[], bool]) -> Attempt:
    """Start `first` and, if a request of it is under way for so many seconds and `permits` then says so, `second`.

    Returns the first attempt that is conclusive. If both end without one, returns that on which a retry must be decided: one that
    may have worked, or else the first. An attempt that is under way when this returns, raises or is cancelled is cancelled.
    An attempt that could not be made leaves the word to the other; if there is no other, its `GatewayError` is raised.
    """
    overdue = asyncio.get_running_loop().create_future()
    tasks = [asyncio.create_task(_end(first(partial(_watched, overdue, after))))]
    try:
        await asyncio.wait([overdue, *tasks], return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done() and permits():
            tasks.append(asyncio.create_task(_end(second())))
        return await _race(tasks)
    finally:
        await _cancel(tasks)


@contextlib.contextmanager
def _watched(overdue: asyncio.Future[None], after: float) -> Iterator[None]:
    timer = asyncio.get_running_loop().call_later(after, _settle, overdue)
    try:
        yield
    finally:
        timer.cancel()


def _settle(overdue: asyncio.Future[None]) -> None:
    if not overdue.done():
        overdue.set_result(None)


async def _end(attempt: Coroutine[Any, Any, Attempt]) -> _End:
    try:
        return await attempt
    except GatewayError as error:
        return error


async def _race(tasks: list[asyncio.Task[_End]]) -> Attempt:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not any(attempt.outcome in _CONCLUSIVE for attempt in _attempts(tasks)):
        await asyncio.wait(tasks)
    attempts = _attempts(tasks)
    if not attempts:
        raise next(end for task in tasks if isinstance(end := task.result(), GatewayError))
    return min(attempts, key=_rank)


def _attempts(tasks: Iterable[asyncio.Task[_End]]) -> list[Attempt]:
    return [end for task in tasks if task.done() and isinstance(end := task.result(), Attempt)]


def _rank(attempt: Attempt) -> int:
    """What decides comes first: if one of two may have worked, the call must not be made again because the other did not."""
    if attempt.outcome in _CONCLUSIVE:
        return 0
    return 1 if may_have_worked(attempt) else 2


async def _cancel(tasks: list[asyncio.Task[_End]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
