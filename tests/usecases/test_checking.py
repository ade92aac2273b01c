import asyncio

from prometheus_client import CollectorRegistry

from gateway.errors import GatewayError, Reason
from gateway.usecases.chain import Chain
from gateway.usecases.checking import kept_checked
from gateway.usecases.standing import Standing


class Provider:
    """Fails its checks while it is told to."""

    name = "local"

    def __init__(self) -> None:
        self.failure: GatewayError | None = None

    async def check(self) -> None:
        if self.failure is not None:
            raise self.failure


async def test_it_is_checked_at_once_and_again() -> None:
    provider, slept, wake, naps = Provider(), asyncio.Event(), asyncio.Event(), []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        slept.set()
        await wake.wait()
        wake.clear()

    async def next_check() -> None:
        await slept.wait()
        slept.clear()
        wake.set()
        await slept.wait()

    standing = Standing(Chain([provider]), CollectorRegistry(), timeout=5)
    async with kept_checked(standing, 30, sleep):
        assert standing.is_ready
        provider.failure = GatewayError(Reason.INTERNAL, "broken")
        await next_check()
        assert not standing.is_ready
        provider.failure = None
        await next_check()
        assert standing.is_ready
    assert set(naps) == {30}
