"""Work beside something else."""

import asyncio

import pytest

from gateway.background import in_background


async def test_it_goes_on_inside_and_is_cancelled_at_the_end() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with in_background(work(), "work"):
        await began.wait()
        assert not ended.is_set()
    assert ended.is_set()


async def test_what_it_raised_is_raised_at_the_end() -> None:
    async def work() -> None:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        async with in_background(work(), "work"):
            await asyncio.sleep(0)
