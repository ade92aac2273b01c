import asyncio

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.retried import TRIES, Retried

DOWN = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")


class Source:
    """Answers as it is told, one after the other; notes how long it is left alone."""

    def __init__(self, *answers: GatewayError | str) -> None:
        self.answers = list(answers)
        self.pauses: list[float] = []

    async def fetch(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, GatewayError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def retried(self) -> Retried[str]:
        return Retried(self.fetch, sleep=self.sleep, random=lambda: 0.5)


async def test_what_passes_is_not_seen() -> None:
    source = Source(DOWN, GatewayError(Reason.UPSTREAM_THROTTLED, "slower"), "value")
    assert await source.retried().fetch() == "value"
    assert source.pauses == [0.1, 0.2]


async def test_what_stays_is_told_after_some_tries() -> None:
    last = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "still down")
    source = Source(*[DOWN] * (TRIES - 1), last, "value")
    with pytest.raises(GatewayError) as caught:
        await source.retried().fetch()
    assert caught.value is last
    assert len(source.pauses) == TRIES - 1


@pytest.mark.parametrize(
    "reason", [reason for reason in Reason if reason not in {Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_THROTTLED}]
)
async def test_all_else_is_told_at_once(reason) -> None:
    """A password that is refused three times for one call would soon lock the account."""
    source = Source(GatewayError(reason, "no"), "value")
    with pytest.raises(GatewayError):
        await source.retried().fetch()
    assert source.pauses == []


async def test_a_short_pause_that_the_service_asks_for_is_kept() -> None:
    source = Source(GatewayError(Reason.UPSTREAM_THROTTLED, "slower", retry_after=1.0), "value")
    assert await source.retried().fetch() == "value"
    assert source.pauses == [1.1]


async def test_for_a_long_pause_nobody_is_kept_waiting() -> None:
    source = Source(GatewayError(Reason.UPSTREAM_THROTTLED, "slower", retry_after=30.0), "value")
    with pytest.raises(GatewayError) as caught:
        await source.retried().fetch()
    assert caught.value.retry_after == 30
    assert source.pauses == []


async def test_cancelling_it_ends_it() -> None:
    source = Source(DOWN, "value")
    task = asyncio.create_task(Retried(source.fetch, sleep=lambda _: asyncio.Event().wait()).fetch())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.answers == ["value"]
