import pytest

from gateway.client import AsyncGatewayClient, GatewayClient
from gateway.client.credentials import call_metadata


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"api_key": "k"}, {"x-api-key": "k"}),
        ({"token": "t"}, {"authorization": "Bearer t"}),
        ({"token": lambda: "t", "tenant": "shop"}, {"authorization": "Bearer t", "x-tenant-id": "shop"}),
    ],
)
async def test_credentials_go_with_every_call(serving, tagging, given, sent) -> None:
    async with serving(tagging) as target, AsyncGatewayClient(target, **given) as client:
        await client.tag(b"x")
        [_ async for _ in client.tag_stream([b"x"])]
    assert len(tagging.metadata) == 2
    for metadata in tagging.metadata:
        assert sent.items() <= dict(metadata).items()


async def test_a_token_is_asked_for_again_with_every_call(serving, tagging) -> None:
    tokens = iter(["one", "two"])
    async with serving(tagging) as target, AsyncGatewayClient(target, token=lambda: next(tokens)) as client:
        for _ in range(2):
            await client.tag(b"x")
    assert [dict(metadata)["authorization"] for metadata in tagging.metadata] == ["Bearer one", "Bearer two"]


def test_the_client_that_waits_takes_the_same() -> None:
    with pytest.raises(ValueError, match="api_key and token"), GatewayClient("127.0.0.1:1", api_key="k", token="t"):
        pass


def test_both_are_too_many() -> None:
    with pytest.raises(ValueError, match="api_key and token: give one of them"):
        call_metadata("", "k", "t")
