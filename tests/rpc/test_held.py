import asyncio

import pytest

from gateway.errors import GatewayError, Reason
from gateway.rpc.held import HeldBytes


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_waits_is_let_in_in_order_as_there_is_room() -> None:
    held, order = HeldBytes(12), []  # 9 for items

    async def take(name: str, size: int) -> None:
        await held.take(size)
        order.append(name)

    await held.take(8)
    tasks = [asyncio.create_task(take(name, size)) for name, size in (("long", 8), ("short", 1), ("shorter", 1))]
    await settle()
    assert order == []  # not even the short ones, which would fit: the long one would wait for ever
    held.release(8)
    await settle()
    assert order == ["long", "short"]
    held.release(8)
    await asyncio.gather(*tasks)
    assert (order, held.held) == (["long", "short", "shorter"], 2)


async def test_a_message_longer_than_the_bound_is_let_in_alone() -> None:
    held = HeldBytes(10)
    await asyncio.wait_for(held.take(11), 5)
    with pytest.raises(GatewayError) as caught, held.admitted(1):
        pass
    assert caught.value.reason is Reason.OVERLOADED


async def test_items_leave_a_quarter_to_calls() -> None:
    held = HeldBytes(16)
    await held.take(12)
    waiting = asyncio.create_task(held.take(1))
    await settle()
    with held.admitted(3), held.admitted(1):
        assert held.held == 16
        with pytest.raises(GatewayError), held.admitted(1):
            pass
    assert not waiting.done()
    held.release(12)
    await waiting
    assert held.held == 1


async def test_a_call_does_not_overtake_an_item_that_is_within_the_items_part() -> None:
    held = HeldBytes(16)
    with held.admitted(10):
        waiting = asyncio.create_task(held.take(8))
        await settle()
        with pytest.raises(GatewayError) as caught, held.admitted(1):
            pass
        assert caught.value.reason is Reason.OVERLOADED
    await waiting
    assert held.held == 8


@pytest.mark.parametrize("granted", [False, True])
async def test_who_gives_up_waiting_holds_nothing_and_lets_the_next_in(granted) -> None:
    held = HeldBytes(14)  # 11 for items
    await held.take(10)
    first, second = (asyncio.create_task(held.take(size)) for size in (10, 2))
    await settle()
    if granted:
        held.release(10)  # and cancelled in the same turn
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    if not granted:
        held.release(10)
    await asyncio.wait_for(second, 5)
    assert held.held == 2
