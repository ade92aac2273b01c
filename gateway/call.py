"""What is known of a call besides what it is about: who asked, until when, and whether a remembered answer will do."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import GatewayError, Reason


class CacheUse(StrEnum):
    """What a call wants of the cache."""

    USE = "use"
    """A remembered answer will do, and a new one is remembered."""
    REFRESH = "refresh"
    """Ask anew, and remember the answer."""
    BYPASS = "bypass"
    """Ask anew, and remember nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, or one item of a stream.

    `tenant`: who it is for; callers that do not say are one tenant. `deadline`: seconds on the clock of `time.monotonic`, as the
    event loop's; infinity for none.
    """

    tenant: str = ""
    deadline: float = math.inf
    cache: CacheUse = CacheUse.USE

    def remaining(self, now: float) -> float:
        """Seconds left at the time `now`. Raises `GatewayError` with `DEADLINE_EXCEEDED` if there are none."""
        left = self.deadline - now
        if left <= 0:
            raise _passed()
        return left

    @contextlib.asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Cancel what is done inside once the deadline passes, and raise `GatewayError` with `DEADLINE_EXCEEDED` instead."""
        limit = asyncio.timeout_at(None if math.isinf(self.deadline) else self.deadline)
        try:
            async with limit:
                yield
        except TimeoutError as error:
            if limit.expired():
                raise _passed() from error
            raise


def _passed() -> GatewayError:
    return GatewayError(Reason.DEADLINE_EXCEEDED, "the deadline of the call has passed")


UNHURRIED = Call()
"""A call of nobody in particular, without a deadline."""
