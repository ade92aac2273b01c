import asyncio

import pytest
from prometheus_client import CollectorRegistry

from gateway.errors import GatewayError, Reason
from gateway.usecases.chain import Chain
from gateway.usecases.standing import Standing


class Provider:
    def __init__(self, name: str) -> None:
        self.name = name
        self.failure: GatewayError | None = None
        self.hangs = False

    async def check(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def cloud() -> Provider:
    return Provider("cloud")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def standing(cloud, registry) -> Standing:
    chain = Chain([cloud, Provider("local")], fall_back_on=frozenset({Reason.UPSTREAM_UNAVAILABLE, Reason.UNAVAILABLE}))
    return Standing(chain, registry, timeout=0.05)


async def test_not_ready_before_the_first_check_nor_while_draining(standing) -> None:
    assert not standing.is_ready
    await standing.check()
    assert (standing.is_ready, standing.is_degraded) == (True, False)
    standing.is_draining = True
    assert not standing.is_ready


async def test_degraded_while_another_provider_can(standing, cloud, registry, caplog) -> None:
    cloud.failure = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")
    for _ in range(3):
        await standing.check()
    assert (standing.is_ready, standing.is_degraded) == (True, True)
    assert len(caplog.records) == 1  # said once
    assert registry.get_sample_value("image_gateway_provider_up", {"provider": "cloud"}) == 0
    assert registry.get_sample_value("image_gateway_provider_up", {"provider": "local"}) == 1
    assert registry.get_sample_value("image_gateway_ready") == 1


async def test_a_check_that_hangs_is_a_failure_of_that_provider_alone(standing, cloud) -> None:
    cloud.hangs = True
    await standing.check()
    assert standing.is_degraded
    assert standing.failures["cloud"].reason is Reason.UNAVAILABLE


async def test_not_ready_where_the_failure_is_the_answer(standing, cloud) -> None:
    cloud.failure = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "no")  # after which nobody takes over here
    with pytest.raises(GatewayError):
        await standing.check()
    assert not standing.is_ready


async def test_a_check_that_breaks_is_a_failure_and_is_logged(standing, cloud, caplog) -> None:
    cloud.failure = RuntimeError("nobody foresaw this")
    with pytest.raises(GatewayError) as caught:
        await standing.check()
    assert caught.value.reason is Reason.INTERNAL
    assert not standing.is_ready
    assert "nobody foresaw this" in caplog.text
