"""The published service config, and what a channel makes of it."""

import json
from pathlib import Path

import grpc
import pytest

from gateway.client import AsyncGatewayClient, GatewayError, ImageContent, Reason, StreamFlow, TaggingClient
from gateway.client.service_config import service_config
from gateway.imagerecognition.v1 import enhancement_pb2, gateway_pb2, music_pb2, preprocess_pb2, tagging_pb2

PUBLISHED = Path(__file__).parents[2] / "proto/gateway/imagerecognition/v1/service_config.json"
MODULES = (tagging_pb2, enhancement_pb2, music_pb2, preprocess_pb2, gateway_pb2)


@pytest.fixture
async def client(target: str):
    async with AsyncGatewayClient(target) as client:
        yield client


def test_the_client_has_the_published_one() -> None:
    assert service_config() == PUBLISHED.read_text(encoding="utf-8")


def test_it_is_of_every_unary_method_and_of_no_stream() -> None:
    named = {
        (name["service"], name["method"]) for config in json.loads(service_config())["methodConfig"] for name in config["name"]
    }
    methods = [
        method for module in MODULES for service in module.DESCRIPTOR.services_by_name.values() for method in service.methods
    ]
    unary = {(m.containing_service.full_name, m.name) for m in methods if not (m.client_streaming or m.server_streaming)}
    assert named == unary
    served = {file.name for file in PUBLISHED.parent.glob("*.proto") if "\nservice " in file.read_text(encoding="utf-8")}
    assert served == {Path(module.DESCRIPTOR.name).name for module in MODULES}, "a service that this test does not know"


def test_it_keeps_to_what_grpc_allows() -> None:
    (config,) = json.loads(service_config())["methodConfig"]
    assert 2 <= config["retryPolicy"]["maxAttempts"] <= 5
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert json.loads(service_config())["retryThrottling"] == {"maxTokens": 10, "tokenRatio": 0.1}


@pytest.mark.parametrize("size", [1, 2 << 20])
async def test_a_call_that_no_gateway_took_is_sent_again(client, tagging, size) -> None:
    """Large pictures, too: gRPC keeps 256 KiB for a retry unless it is told otherwise."""
    tagging.failures, tagging.trailers = [grpc.StatusCode.UNAVAILABLE] * 3, (("grpc-retry-pushback-ms", "1"),)
    await client.tag(bytes(size))
    assert [len(request.content) for request in tagging.unary] == [size] * 4
    assert len({request.request_id for request in tagging.unary}) == 1, "a retry is another request to the gateway"


async def test_there_is_an_end_to_it(client, tagging) -> None:
    tagging.failures, tagging.trailers = [grpc.StatusCode.UNAVAILABLE] * 9, (("grpc-retry-pushback-ms", "1"),)
    with pytest.raises(GatewayError) as caught:
        await client.tag(b"x")
    assert (caught.value.reason, len(tagging.unary)) == (Reason.UNAVAILABLE, 4)


async def test_single_services_have_it_too(target, tagging) -> None:
    tagging.failures, tagging.trailers = [grpc.StatusCode.UNAVAILABLE], (("grpc-retry-pushback-ms", "1"),)
    async with TaggingClient(target) as client:
        await client.tag(ImageContent(b"x"))
    assert len(tagging.unary) == 2


@pytest.mark.parametrize("pushback", ["-1", "60000"])
async def test_the_gateway_says_when_or_that_it_does_not_want_it(client, tagging, pushback) -> None:
    tagging.failures, tagging.trailers = [grpc.StatusCode.UNAVAILABLE] * 3, (("grpc-retry-pushback-ms", pushback),)
    with pytest.raises(GatewayError) as caught:
        await client.tag(b"x", timeout=1)
    assert len(tagging.unary) == 1
    assert caught.value.reason is (Reason.UNAVAILABLE if pushback == "-1" else Reason.DEADLINE_EXCEEDED)


@pytest.mark.parametrize(
    "reason", [Reason.INVALID_ARGUMENT, Reason.OVERLOADED, Reason.UPSTREAM_REPLY_LOST, Reason.UPSTREAM_TIMEOUT, Reason.INTERNAL]
)
async def test_other_failures_are_the_caller_s(client, tagging, reason) -> None:
    tagging.failures = [GatewayError(reason, "no")]
    with pytest.raises(GatewayError):
        await client.tag(b"x")
    assert len(tagging.unary) == 1


async def test_streams_are_not_sent_again_by_the_channel(client, tagging) -> None:
    tagging.failures, tagging.trailers = [grpc.StatusCode.UNAVAILABLE] * 3, (("grpc-retry-pushback-ms", "1"),)
    outcomes = [item.outcome async for item in client.tag_stream([b"x"], flow=StreamFlow(resumptions=0))]
    assert [outcome.reason for outcome in outcomes] == [Reason.UNAVAILABLE]
    assert len(tagging.streams) == 1
