"""What a real server tells of itself, as the client reads it."""

from collections.abc import AsyncIterator

import grpc
import pytest

from gateway.client import GatewayError, GatewayInfo, InfoClient, Language, Reason
from gateway.client.info import ParameterInfo, ProviderInfo
from gateway.imagerecognition.v1 import gateway_pb2 as pb
from gateway.imagerecognition.v1 import gateway_pb2_grpc as pb_grpc
from gateway.prepare.options import UNTOUCHED
from gateway.rpc.calls import Calls
from gateway.rpc.info import InfoServicer, gateway_info
from gateway.rpc.settings import RpcSettings
from gateway.usecases.catalogue import UseCases
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Intake
from gateway.usecases.tagging import TagImage


class Provider:
    downloads_recordings = True

    def __init__(self, name: str, *, downloads_images: bool) -> None:
        self.name = name
        self.downloads_images = downloads_images


@pytest.fixture
def told() -> pb.GetInfoResponse:
    chain = Chain([Provider("cloud", downloads_images=True), Provider("local", downloads_images=False)])
    tag_image = TagImage(chain, Intake(None, None, UNTOUCHED))
    use_cases = UseCases(tag_image, None, None, None, chain)
    return gateway_info(RpcSettings(replay_window=1.5, max_batch_requests=5), use_cases)


@pytest.fixture
async def client(told: pb.GetInfoResponse) -> AsyncIterator[InfoClient]:
    server = grpc.aio.server()
    pb_grpc.add_GatewayServiceServicer_to_server(InfoServicer(told, Calls(), lambda: {"cloud": False, "local": True}), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with InfoClient(f"127.0.0.1:{port}") as client:
        yield client
    await server.stop(None)


@pytest.fixture
async def info(client: InfoClient) -> GatewayInfo:
    return await client.info()


async def test_providers_come_in_their_order(info) -> None:
    assert info.providers == (ProviderInfo("cloud", True, True, False), ProviderInfo("local", False, True, True))


async def test_operations_are_found_by_name(info) -> None:
    tagging = info.operations["tagging"]
    assert (tagging.min_side, tagging.max_side, tagging.formats) == (15, 4096, ("jpeg", "png", "bmp", "webp"))
    assert tagging.parameters["threshold"] == ParameterInfo(default="60", range=(0, 100))
    assert tagging.parameters["language"] == ParameterInfo(default="zh", choices=("zh", "en"))
    assert info.operations["defog"].parameters["natural_look"] == ParameterInfo(default="true")


async def test_every_limit_arrives_under_its_name(info, told) -> None:
    for field in pb.TransferLimits.DESCRIPTOR.fields:
        sent, read = getattr(told.limits, field.name), getattr(info.limits, field.name)
        assert read == (1.5 if field.name == "replay_window" else sent)
    assert info.limits.max_batch_requests == 5


async def test_every_repair_arrives_under_its_name(info, told) -> None:
    for field in pb.RepairInfo.DESCRIPTOR.fields:
        assert getattr(info.repairs, field.name) == getattr(told.repairs, field.name)
    assert not info.repairs.fit


async def test_languages_are_those_that_parameters_take(info) -> None:
    assert info.languages == (Language.ZH, Language.EN)


async def test_a_language_of_a_newer_gateway_is_passed_over(client, told) -> None:
    told.languages.append(77)
    assert (await client.info()).languages == (Language.ZH, Language.EN)


async def test_a_gateway_that_does_not_know_the_call_says_so() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with InfoClient(f"127.0.0.1:{port}") as client:
        with pytest.raises(GatewayError) as caught:
            await client.info()
    await server.stop(None)
    assert caught.value.reason is Reason.UNIMPLEMENTED
