import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.errors import GatewayError, Reason
from gateway.rpc.health import HealthMonitor
from gateway.rpc.server import PREPROCESS_SERVICE, TAGGING_SERVICE

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("service", ["", TAGGING_SERVICE, PREPROCESS_SERVICE])
async def test_a_provider_that_works_is_serving(channel, service) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING


async def test_an_unknown_service_is_not_found(channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


class Served:
    """A health monitor on a server of its own."""

    def __init__(self, check, interval: float = 3600) -> None:
        self.monitor = HealthMonitor(check, ("svc",), interval=interval, independent=("free",))
        self.server = grpc.aio.server()
        self.monitor.add_to(self.server)

    async def __aenter__(self):
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.stub = health_pb2_grpc.HealthStub(self.channel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self.monitor.enter_shutdown()
        await self.server.stop(None)

    async def status(self, service: str = "svc") -> int:
        return (await self.stub.Check(health_pb2.HealthCheckRequest(service=service))).status


@pytest.mark.parametrize("fault", [GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down"), ZeroDivisionError("bug")])
async def test_the_status_follows_the_checks(fault) -> None:
    outcomes = [None, fault, None]

    async def check() -> None:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    async with Served(check) as served:
        for expected in (SERVING, NOT_SERVING, SERVING):
            await served.monitor.check_now()
            assert await served.status() == expected


async def test_a_check_that_hangs_is_a_failed_check() -> None:
    async def check() -> None:
        await asyncio.Event().wait()

    async with Served(check, interval=0.01) as served:
        await served.monitor.check_now()
        assert await served.status() == NOT_SERVING


async def test_checks_go_on_in_the_background() -> None:
    third = asyncio.Event()
    count = 0

    async def check() -> None:
        nonlocal count
        count += 1
        if count == 3:
            third.set()

    async with Served(check, interval=0.01) as served:
        await served.monitor.start()
        await asyncio.wait_for(third.wait(), 5)


async def test_shutdown_is_final() -> None:
    async def check() -> None:
        """Always well."""

    async with Served(check) as served:
        await served.monitor.start()
        assert await served.status() == SERVING
        await served.monitor.enter_shutdown()
        await served.monitor.check_now()
        assert await served.status() == NOT_SERVING


async def test_a_service_that_needs_no_provider_serves_until_the_shutdown() -> None:
    async def check() -> None:
        raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")

    async with Served(check) as served:
        await served.monitor.start()
        assert [await served.status(name) for name in ("free", "svc", "")] == [SERVING, NOT_SERVING, NOT_SERVING]
        await served.monitor.enter_shutdown()
        assert await served.status("free") == NOT_SERVING
