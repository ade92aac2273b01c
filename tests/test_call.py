import asyncio
import math

import pytest

from gateway.call import UNHURRIED, CacheUse, Call
from gateway.errors import GatewayError, Reason


def test_a_call_of_nobody_in_particular_has_all_the_time() -> None:
    assert (UNHURRIED.tenant, UNHURRIED.cache) == ("", CacheUse.USE)
    assert UNHURRIED.remaining(1e12) == math.inf


def test_what_remains_is_told_until_nothing_does() -> None:
    call = Call(deadline=100.0)
    assert call.remaining(97.5) == 2.5
    for now in (100.0, 100.5):
        with pytest.raises(GatewayError) as caught:
            call.remaining(now)
        assert caught.value.reason is Reason.DEADLINE_EXCEEDED


async def test_work_ends_at_the_deadline_and_says_so() -> None:
    ended = []

    async def work() -> None:
        async with Call(deadline=asyncio.get_running_loop().time() + 0.01).bounded():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    with pytest.raises(GatewayError) as caught:
        await work()
    assert (caught.value.reason, ended) == (Reason.DEADLINE_EXCEEDED, [True])


async def test_timeouts_of_others_and_cancellation_pass_through() -> None:
    async def bounded(work) -> None:
        async with UNHURRIED.bounded():
            await work

    with pytest.raises(TimeoutError):
        await bounded(asyncio.wait_for(asyncio.Event().wait(), 0))
    task = asyncio.create_task(bounded(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
