"""Checking the providers over and over, where no health service does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.background import in_background
from gateway.errors import GatewayError
from gateway.usecases.standing import Standing


@contextlib.asynccontextmanager
async def kept_checked(
    standing: Standing, interval: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncIterator[None]:
    """Check once before, and every `interval` seconds inside; what comes of it is in `standing`, and in the log."""

    async def check() -> None:
        with contextlib.suppress(GatewayError):  # which `standing` keeps and logs
            await standing.check()

    async def go_on() -> None:
        while True:
            await sleep(interval)
            await check()

    await check()
    async with in_background(go_on(), "check providers"):
        yield
