"""GetInfo through a real channel: what it tells is what holds."""

import re

import grpc
import pytest

from gateway import __version__
from gateway.imagerecognition.v1 import enhancement_pb2, music_pb2, tagging_pb2
from gateway.imagerecognition.v1 import gateway_pb2 as pb
from gateway.imagerecognition.v1 import gateway_pb2_grpc as pb_grpc
from gateway.prepare import Operation
from gateway.prepare.operations import LIMITS
from gateway.rpc.calls import Calls
from gateway.rpc.info import InfoServicer
from gateway.rpc.settings import RpcSettings


@pytest.fixture
async def info(channel) -> pb.GetInfoResponse:
    return await pb_grpc.GatewayServiceStub(channel).GetInfo(pb.GetInfoRequest())


@pytest.fixture
def operations(info) -> dict[str, pb.OperationInfo]:
    return {operation.name: operation for operation in info.operations}


def parameter(operation: pb.OperationInfo, name: str) -> pb.ParameterInfo:
    (found,) = [parameter for parameter in operation.parameters if parameter.name == name]
    return found


async def test_versions_providers_and_languages(info) -> None:
    assert info.version == __version__
    assert list(info.api_versions) == ["gateway.imagerecognition.v1"]
    assert list(info.providers) == [
        pb.ProviderInfo(name="commanded", downloads_images=True, downloads_recordings=True, serving=True)
    ]
    assert list(info.languages) == [tagging_pb2.LANGUAGE_ZH, tagging_pb2.LANGUAGE_EN]


async def test_every_method_that_asks_a_provider_is_of_an_operation(operations) -> None:
    told = {method for operation in operations.values() for method in operation.methods}
    services = [
        service for file in (tagging_pb2, enhancement_pb2, music_pb2) for service in file.DESCRIPTOR.services_by_name.values()
    ]
    assert told == {f"{service.full_name}/{method.name}" for service in services for method in service.methods}
    assert "gateway.imagerecognition.v1.EnhancementService/DefogImage" in operations["defog"].methods
    assert not set(operations["defog"].methods) & set(operations["dark_enhance"].methods)


@pytest.mark.parametrize("operation", Operation)
async def test_the_limits_are_those_of_preparation(operations, operation) -> None:
    told, limits = operations[operation.value], LIMITS[operation]
    assert tuple(told.formats) == limits.formats
    assert (told.min_side, told.max_side, told.max_base64_chars) == (limits.min_side, limits.max_side, limits.max_base64)
    assert told.max_file_bytes == 7_864_320


async def test_music_takes_recordings(operations) -> None:
    music = operations["background_music"]
    assert (list(music.formats), music.max_file_bytes) == (["mp4"], 65 << 20)
    assert (music.min_side, music.max_side, music.max_base64_chars) == (0, 0, 0)


@pytest.mark.parametrize(
    ("operation", "name", "range_", "default"),
    [
        ("tagging", "threshold", (0, 100), "60"),
        ("tagging", "limit", (1, 150), "50"),
        ("tagging_v1", "threshold", (0, 100), "0"),
        ("tagging_v1", "limit", (1, 150), "30"),
        ("dark_enhance", "brightness", (0, 1), "0.9"),
        ("defog", "gamma", (0.1, 10), "1.5"),
    ],
)
async def test_numbers_have_a_range_and_a_default(operations, operation, name, range_, default) -> None:
    found = parameter(operations[operation], name)
    assert (found.number.min, found.number.max) == range_
    assert found.default_value == default


@pytest.mark.parametrize(
    ("operation", "name", "choices", "default"),
    [
        ("tagging", "language", ["zh", "en"], "zh"),
        ("tagging", "version", ["v1", "v2"], "v2"),
        ("tagging_v1", "version", ["v1", "v2"], "v1"),
        ("super_resolution", "scale", ["3", "4"], "3"),
        ("super_resolution", "model", ["ESPCN", "SRCNN"], "ESPCN"),
    ],
)
async def test_choices_have_their_values_and_a_default(operations, operation, name, choices, default) -> None:
    found = parameter(operations[operation], name)
    assert (list(found.choices.values), found.default_value) == (choices, default)


async def test_a_switch_has_a_default_only(operations) -> None:
    found = parameter(operations["defog"], "natural_look")
    assert (found.WhichOneof("range"), found.default_value) == (None, "true")


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("tagging", tagging_pb2.TaggingParameters.DESCRIPTOR.fields_by_name),
        ("dark_enhance", enhancement_pb2.EnhanceDarkImageRequest.DESCRIPTOR.fields_by_name),
        ("defog", enhancement_pb2.DefogImageRequest.DESCRIPTOR.fields_by_name),
        ("super_resolution", enhancement_pb2.UpscaleImageRequest.DESCRIPTOR.fields_by_name),
    ],
)
async def test_parameters_are_called_what_the_contract_calls_them(operations, operation, fields) -> None:
    assert {parameter.name for parameter in operations[operation].parameters} <= set(fields)


async def test_an_edge_of_a_range_is_taken_and_what_is_beyond_refused(operations, stub, dog) -> None:
    limit = parameter(operations["tagging"], "limit").number
    await stub.TagImage(tagging_pb2.TagImageRequest(content=dog, parameters={"limit": int(limit.max)}))
    with pytest.raises(grpc.aio.AioRpcError, match=re.escape("parameters.limit is 151")):
        await stub.TagImage(tagging_pb2.TagImageRequest(content=dog, parameters={"limit": int(limit.max) + 1}))


async def test_the_limits_of_transfer_are_the_settings(make_server) -> None:
    server = make_server(
        max_message_bytes=9 << 20, stream_window=3, max_batch_requests=5, replay_window=60, max_upload_bytes=10 << 20
    )
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as channel:
        limits = (await pb_grpc.GatewayServiceStub(channel).GetInfo(pb.GetInfoRequest())).limits
    await server.drain()
    assert (limits.max_request_bytes, limits.stream_window, limits.max_batch_requests) == (9 << 20, 3, 5)
    assert (limits.replay_window.ToMilliseconds(), limits.max_upload_bytes) == (60_000, 10 << 20)
    assert (limits.max_item_id_chars, limits.max_request_id_chars, limits.max_uri_chars) == (1024, 64, 4096)
    assert (limits.tenant_metadata_key, limits.max_tenant_chars, limits.chunk_bytes) == ("x-tenant-id", 64, 1 << 20)


async def test_a_batch_of_the_size_told_is_taken(info, stub, dog) -> None:
    most = info.limits.max_batch_requests
    assert most == RpcSettings().max_batch_requests
    request = tagging_pb2.BatchTagImagesRequest(requests=[tagging_pb2.TagImageRequest(content=dog)] * most)
    assert len((await stub.BatchTagImages(request)).results) == most


async def test_repairs_are_those_that_pictures_get(info) -> None:
    repairs = info.repairs
    assert (repairs.fit, repairs.shrink, repairs.convert) == (True, True, "needed")
    assert (repairs.strip_metadata, repairs.allow_other_formats) == (True, False)


async def test_it_is_told_while_no_provider_works(channel, provider) -> None:
    provider.healthy = False
    assert (await pb_grpc.GatewayServiceStub(channel).GetInfo(pb.GetInfoRequest())).version


async def test_a_gateway_that_stops_tells_no_more(info) -> None:
    calls = Calls()
    calls.close()
    server = grpc.aio.server()
    pb_grpc.add_GatewayServiceServicer_to_server(InfoServicer(info, calls, dict), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await pb_grpc.GatewayServiceStub(channel).GetInfo(pb.GetInfoRequest())
    await server.stop(None)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
