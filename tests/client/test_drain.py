"""A stream that outlives the gateway it began with: two real gateways, of which the first is stopped."""

import asyncio
import contextlib

from gateway.client import AsyncGatewayClient, GatewayError, StreamFlow
from gateway.config import GatewaySettings
from gateway.server import running_gateway


async def test_nothing_is_lost_when_a_gateway_is_stopped(dog) -> None:
    settings = GatewaySettings(listen="127.0.0.1:0")
    async with contextlib.AsyncExitStack() as first, running_gateway(settings) as second_address:
        first_address = await first.enter_async_context(running_gateway(settings))
        stopping: asyncio.Task[None] | None = None
        found: dict[str, bool] = {}
        async with AsyncGatewayClient(f"ipv4:{first_address},{second_address}") as client:
            async for item in client.tag_stream([dog] * 60, flow=StreamFlow(window=40)):
                assert item.item_id not in found, "answered twice"
                found[item.item_id] = not isinstance(item.outcome, GatewayError)
                if len(found) == 5:
                    stopping = asyncio.create_task(first.aclose())
        assert stopping is not None
        await stopping
    assert len(found) == 60
    assert all(found.values())
