"""A second attempt while a slow first one is still under way ("The Tail at Scale", Dean and Barroso 2013)."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.resilience.budget import RetryBudget
from gateway.upstream.resilience.settings import HedgeSettings

Send = Callable[[], Coroutine[Any, Any, Attempt]]
"""Makes one attempt."""

_CONCLUSIVE: Final = frozenset({Outcome.SUCCESS, Outcome.REFUSED})
"""Nothing that the other attempt brings could be better."""


@dataclass(frozen=True, slots=True)
class Hedged:
    """What came of one attempt, or of two."""

    answer: Attempt
    others: tuple[Attempt, ...] = ()
    """The attempt that ended as well, if one did."""
    abandoned: bool = False
    """Whether the other attempt was cancelled while under way: it may be billed."""


class HedgePolicy:
    """Decides whether a second attempt may be made."""

    def __init__(self, settings: HedgeSettings, budget: RetryBudget, has_room: Callable[[], bool]) -> None:
        """`budget`: that of all further attempts, which hedges share with retries. `has_room`: whether the second attempt would
        take no other call's turn."""
        self._after = settings.after
        self._share = RetryBudget(settings.share, 1)
        self._budget = budget
        self._has_room = has_room

    async def run(self, first: Send, second: Send) -> Hedged:
        """Make the `first` attempt and, if it takes too long, the `second` as well; each must need no slot of the other."""
        if self._after is None:
            return Hedged(await first())
        self._share.deposit()
        return await hedged(first, second, self._after, self._permits)

    def _permits(self) -> bool:
        # The scarcer is asked first, and paid last: nothing is taken in vain.
        return self._share.tokens >= 1.0 and self._has_room() and self._budget.withdraw() and self._share.withdraw()


async def hedged(first: Send, second: Send, after: float, permits: Callable[[], bool]) -> Hedged:
    """Start `first` and, if it is under way after so many seconds and `permits` then says so, `second`.

    Returns with the first attempt that is conclusive, or else once both have ended. An attempt that is under way when this
    returns, raises or is cancelled is cancelled. What `first` raises is raised; a `GatewayError` of `second`, such as that there
    is no slot for it, means that it was not made.
    """
    running = asyncio.create_task(first())
    tasks: list[asyncio.Task[Attempt | None]] = [running]
    try:
        await asyncio.wait(tasks, timeout=after)
        if running.done() or not permits():
            return Hedged(await running)
        tasks.append(asyncio.create_task(_if_possible(second)))
        return await _race(*tasks)
    finally:
        await _end(tasks)


async def _if_possible(send: Send) -> Attempt | None:
    try:
        return await send()
    except GatewayError:
        return None


async def _race(*tasks: asyncio.Task[Attempt | None]) -> Hedged:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if not any(attempt.outcome in _CONCLUSIVE for attempt in _ended(tasks)):
        await asyncio.wait(tasks)
    attempts = _ended(tasks)
    answer = next((attempt for attempt in attempts if attempt.outcome in _CONCLUSIVE), attempts[0])
    others = tuple(attempt for attempt in attempts if attempt is not answer)
    return Hedged(answer, others, abandoned=not all(task.done() for task in tasks))


def _ended(tasks: Iterable[asyncio.Task[Attempt | None]]) -> list[Attempt]:
    return [attempt for task in tasks if task.done() and (attempt := task.result()) is not None]


async def _end(tasks: list[asyncio.Task[Attempt | None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
