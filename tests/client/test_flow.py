"""Streams that break, and are taken up again."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from gateway.client import AsyncGatewayClient, GatewayError, Reason, StreamFlow
from gateway.client.flow import Resumption

STOPPING = GatewayError(Reason.SHUTTING_DOWN, "stopping")


@pytest.fixture
async def client(target: str) -> AsyncIterator[AsyncGatewayClient]:
    async with AsyncGatewayClient(target) as client:
        yield client


async def outcomes(client: AsyncGatewayClient, pictures, **options) -> list[tuple[str, Reason | None]]:
    """Ids with the reason of what failed."""
    return [
        (item.item_id, item.outcome.reason if isinstance(item.outcome, GatewayError) else None)
        async for item in client.tag_stream(pictures, **options)
    ]


def sent(tagging) -> list[list[str]]:
    """The ids of each call's items."""
    return [[request.item.item_id for request in stream if request.HasField("item")] for stream in tagging.streams]


@pytest.mark.parametrize("in_order", [True, False])
async def test_after_a_drain_what_was_not_answered_is_sent_again(client, tagging, in_order) -> None:
    tagging.failures, tagging.accepted = [STOPPING, STOPPING], 3
    found = await outcomes(client, [b"x"] * 10, in_order=in_order, flow=StreamFlow(window=2))
    assert (found if in_order else sorted(found)) == [(str(n), None) for n in range(10)]
    first, second, third = sent(tagging)
    assert (first[:3], second[:3], third) == (["0", "1", "2"], ["3", "4", "5"], ["6", "7", "8", "9"])


async def test_a_refused_stream_is_opened_again(client, tagging) -> None:
    tagging.failures = [STOPPING]
    assert await outcomes(client, [b"x", b"y"]) == [("0", None), ("1", None)]


@pytest.mark.parametrize("in_order", [True, False])
async def test_what_may_have_been_paid_for_is_not_sent_again(client, tagging, in_order) -> None:
    """The connection broke: nobody knows what became of what was sent."""
    tagging.failures, tagging.accepted = [grpc.StatusCode.UNAVAILABLE], 3
    found = await outcomes(client, [b"x"] * 10, in_order=in_order, flow=StreamFlow(window=1))
    assert (found if in_order else sorted(found)) == [(str(n), Reason.UNAVAILABLE if n == 3 else None) for n in range(10)]
    assert sent(tagging) == [["0", "1", "2", "3"], ["4", "5", "6", "7", "8", "9"]]


async def test_other_failures_end_the_stream(client, tagging) -> None:
    tagging.failures = [GatewayError(Reason.INVALID_ARGUMENT, "config.order is 7")]
    assert await outcomes(client, [b"x", b"y"]) == [("0", Reason.INVALID_ARGUMENT), ("1", Reason.INVALID_ARGUMENT)]
    assert len(tagging.streams) == 1


async def test_without_an_answer_in_between_it_ends_after_so_many(client, tagging) -> None:
    tagging.failures = [STOPPING] * 9
    assert await outcomes(client, [b"x", b"y"], flow=StreamFlow(resumptions=2)) == [
        ("0", Reason.SHUTTING_DOWN),
        ("1", Reason.SHUTTING_DOWN),
    ]
    assert len(tagging.streams) == 3


async def test_it_goes_on_for_as_long_as_answers_come(client, tagging) -> None:
    tagging.failures, tagging.accepted = [STOPPING] * 5, 1
    found = await outcomes(client, [b"x"] * 7, flow=StreamFlow(window=1, resumptions=1))
    assert found == [(str(n), None) for n in range(7)]


async def test_the_deadline_is_of_all_calls_together(client, tagging) -> None:
    async def pausing() -> None:
        await asyncio.sleep(0.3)

    tagging.failures, tagging.accepted, tagging.before_failure = [STOPPING], 1, pausing
    await outcomes(client, [b"x"] * 3, timeout=5, flow=StreamFlow(window=1))
    first, second = tagging.remaining
    assert second < first - 0.2  # rounded up on the wire


async def test_a_source_that_is_waited_for_survives_a_break(client, tagging) -> None:
    """An asynchronous generator is not ended by the end of a call."""
    broken = asyncio.Event()

    async def pictures():
        yield b"x"
        yield b"y"  # on which the call breaks, while the next one is waited for
        await broken.wait()
        yield b"z"

    async def breaking() -> None:
        asyncio.get_running_loop().call_later(0.05, broken.set)

    tagging.failures, tagging.accepted, tagging.before_failure = [STOPPING], 1, breaking
    assert await outcomes(client, pictures()) == [("0", None), ("1", None), ("2", None)]


async def test_no_more_than_the_window_is_taken(client) -> None:
    taken = 0

    def pictures():
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield b"x"

    stream = client.tag_stream(pictures(), flow=StreamFlow(window=4))
    yielded = 0
    async for _ in stream:
        yielded += 1
        await asyncio.sleep(0.001)
        assert taken <= yielded + 4
    assert yielded == 50


@pytest.mark.parametrize("settings", [{"window": 0}, {"resumptions": -1}])
def test_a_flow_that_cannot_be_is_refused(settings) -> None:
    with pytest.raises(ValueError, match="window of 1 or more"):
        StreamFlow(**settings)


async def test_pauses_grow_and_are_drawn() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    resumption = Resumption(7, sleep=sleep, draw=lambda: 0.5)
    while await resumption.granted(STOPPING):
        pass
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.5, 2.5])
    resumption.progressed()
    assert await resumption.granted(GatewayError(Reason.SHUTTING_DOWN, "later", retry_after=3.0))
    assert pauses[-1] == 3.0


async def test_a_stream_that_is_not_taken_up_sends_nothing_twice(client, tagging) -> None:
    tagging.failures, tagging.accepted = [STOPPING], 1
    found = dict(await outcomes(client, [b"x"] * 4, flow=StreamFlow(resumptions=0)))
    assert found == {"0": None, "1": Reason.SHUTTING_DOWN, "2": Reason.SHUTTING_DOWN, "3": Reason.SHUTTING_DOWN}
    assert len(tagging.streams) == 1
