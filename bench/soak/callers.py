"""The callers: several tenants, each with many calls at once, who take no for an answer and wait when told to."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.call import Call
from gateway.errors import GatewayError
from gateway.provider import Provider

from .ledger import End, Ledger
from .questions import Questions

_IMPATIENT: Final = 0.01
"""Share of the calls that their callers give up, and share of those with a deadline that may be too short."""

_PATIENCE: Final = 0.1
"""Seconds, at most, after which that happens."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`workers` calls at once."""

    name: str
    workers: int


def tenants_for(concurrency: int) -> tuple[Tenant, ...]:
    """One who asks for three times as much as each of the others, all of them for more than there is."""
    return (Tenant("greedy", 3 * concurrency), *(Tenant(name, concurrency) for name in ("ada", "bob", "eve")))


@dataclass(frozen=True, slots=True)
class Manners:
    """How callers behave. `pause`: seconds that one who is told to wait does wait, at least and at most. `deadline`: seconds that
    each call is given; if it is None, all the time there is, but for a few who give up or are in a hurry."""

    pause: tuple[float, float] = (0.2, 10.0)
    deadline: float | None = None


class Callers:
    """Makes the calls of one run, each once, and enters their ends into `ledger`."""

    def __init__(self, provider: Provider, questions: Questions, ledger: Ledger, manners: Manners, seed: int) -> None:
        self._manners = manners
        self._provider = provider
        self._questions = questions
        self._ledger = ledger
        self._seed = seed

    async def make(self, numbers: range, tenants: tuple[Tenant, ...]) -> Counter[str]:
        """Make the calls with these numbers. Returns the answers to each tenant until no call was left to make."""
        shares = Counter[str]()
        left = self._handed_out(numbers, shares)
        async with asyncio.TaskGroup() as group:
            for tenant in tenants:
                for _ in range(tenant.workers):
                    group.create_task(self._work(tenant.name, left))
        return shares

    def _handed_out(self, numbers: range, shares: Counter[str]) -> Iterator[int]:
        before = self._ledger.tenants.copy()
        yield from numbers
        shares.update(self._ledger.tenants - before)

    async def _work(self, tenant: str, left: Iterator[int]) -> None:
        least, most = self._manners.pause
        for number in left:
            pause = await self._one(number, tenant)
            if pause:
                await asyncio.sleep(min(max(pause, least), most))

    async def _one(self, number: int, tenant: str) -> float:
        """Make one call. Returns the seconds that its caller is told to wait."""
        patience, deadline = self._fate(number)
        call = Call(tenant) if deadline is None else Call(tenant, time.monotonic() + deadline)
        limit = asyncio.timeout(patience)
        try:
            async with limit:
                attempts, own = await self._questions.ask(self._provider, number, call)
        except GatewayError as error:
            self._ledger.refused(number, tenant, error)
            return error.retry_after or 0.0
        except Exception as error:  # noqa: BLE001  # what must not be is counted
            if isinstance(error, TimeoutError) and limit.expired():
                self._ledger.record(number, tenant, End.GIVEN_UP)
            else:
                self._ledger.untyped[type(error).__name__] += 1
                self._ledger.record(number, tenant, End.UNTYPED)
        else:
            self._ledger.record(number, tenant, End.ANSWERED if own else End.MISTAKEN, attempts)
        return 0.0

    def _fate(self, number: int) -> tuple[float | None, float | None]:
        """Seconds after which the caller of `number` gives up, and those that the call has; None for neither."""
        if self._manners.deadline is not None:
            return None, self._manners.deadline
        drawn = random.Random(f"{self._seed} {number}")  # noqa: S311  # to be drawn again, not to be secret
        fate, seconds = drawn.random(), drawn.uniform(0, _PATIENCE)
        return (seconds if fate < _IMPATIENT else None), (seconds if _IMPATIENT <= fate < 2 * _IMPATIENT else None)
