"""Many requests in one message (AIP-231): worked on side by side, each with an outcome of its own, in their order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Sized
from typing import TypeVar

from gateway.errors import GatewayError, Reason

_Request = TypeVar("_Request")
_Result = TypeVar("_Result")


def check_batch(requests: Sized, most: int) -> None:
    """Raise `GatewayError` for a batch of no requests or of more than `most`."""
    count = len(requests)
    if not 1 <= count <= most:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"requests has {count} entries; it must have 1 to {most}",
            field="requests",
            measured=str(count),
            allowed=f"1 to {most}",
        )


async def results_of(
    requests: Sequence[_Request], answer: Callable[[_Request], Awaitable[_Result]], *, window: int
) -> list[_Result]:
    """What `answer` gives for each of `requests`, at most `window` at once. `answer` raises nothing but cancellation."""
    places = asyncio.Semaphore(window)

    async def answered(request: _Request) -> _Result:
        async with places:
            return await answer(request)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(answered(request)) for request in requests]
    return [task.result() for task in tasks]
