"""The front door for asyncio: what may be given, and what is said of every call."""

import asyncio
from pathlib import Path

import pytest

from gateway.client import AsyncGatewayClient, GatewayError, ImageContent, ImageUri, Reason, StreamFlow, TaggedImage


@pytest.fixture
async def client(target: str):
    async with AsyncGatewayClient(target, tenant="shop", timeout=20) as client:
        yield client


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"a cat")
    return path


async def test_a_picture_is_a_path_a_url_or_bytes(client, tagging, picture) -> None:
    uri = "https://example.org/cat.jpg"
    for given in (picture, str(picture), b"a cat", ImageContent(b"a cat")):
        await client.tag(given)
    for given in (uri, ImageUri(uri)):
        await client.tag(given)
    assert [request.content for request in tagging.unary[:4]] == [b"a cat"] * 4
    assert [request.uri for request in tagging.unary[4:]] == [uri] * 2


async def test_so_are_those_of_a_stream(client, tagging, picture) -> None:
    uri = "https://example.org/cat.jpg"
    given = [picture, uri, b"a cat", ("mine", picture), ImageUri(uri)]
    found = [item.item_id async for item in client.tag_stream(given, in_order=True)]
    assert found == [str(picture), uri, "2", "mine", uri]
    items = [request.item for request in tagging.streams[0] if request.HasField("item")]
    assert [item.content or item.uri for item in items] == [b"a cat", uri, b"a cat", b"a cat", uri]


async def test_a_generator_may_be_asynchronous(client) -> None:
    async def pictures():
        for _ in range(5):
            await asyncio.sleep(0)
            yield b"x"

    outcomes = [item.outcome async for item in client.tag_stream(pictures(), flow=StreamFlow(window=2))]
    assert [type(outcome) for outcome in outcomes] == [TaggedImage] * 5


async def test_what_an_asynchronous_generator_raises_is_raised(client) -> None:
    async def pictures():
        yield b"x"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        async for _ in client.tag_stream(pictures()):
            pass


async def test_a_stream_that_is_left_early_waits_for_nothing(client) -> None:
    left = asyncio.Event()

    async def pictures():
        try:
            yield b"x"
            await asyncio.Event().wait()
        finally:
            left.set()

    stream = client.tag_stream(pictures())
    await anext(stream)
    await asyncio.wait_for(stream.aclose(), 5)
    assert left.is_set()


async def test_what_cannot_be_read_fails_alone(client, tmp_path) -> None:
    outcomes = [item.outcome async for item in client.tag_stream([tmp_path / "none.jpg", b"x"], in_order=True)]
    assert outcomes[0].reason is Reason.INVALID_ARGUMENT
    assert str(tmp_path) not in outcomes[0].message
    assert isinstance(outcomes[1], TaggedImage)


async def test_a_url_that_is_none_is_refused_here(client, tagging) -> None:
    with pytest.raises(GatewayError) as caught:
        await client.tag("ftp://example.org/cat.jpg")
    assert (caught.value.reason, tagging.unary) == (Reason.URI_INVALID, [])


async def test_every_call_says_for_whom_it_is(client, tagging) -> None:
    await client.tag(b"x")
    _ = [item async for item in client.tag_stream([b"x"])]
    assert [metadata["x-tenant-id"] for metadata in tagging.metadata] == ["shop", "shop"]


async def test_calls_are_bounded_and_streams_are_not(client, tagging) -> None:
    await client.tag(b"x")
    await client.tag(b"x", timeout=5)
    _ = [item async for item in client.tag_stream([b"x"])]
    first, second, stream = tagging.remaining
    assert 15 < first < 21
    assert 0 < second < 6
    assert stream is None


async def test_requests_have_ids_of_their_own(client, tagging) -> None:
    await client.tag(b"x")
    await client.tag(b"x")
    await client.tag(b"x", request_id="mine")
    first, second, third = (request.request_id for request in tagging.unary)
    assert first
    assert second
    assert first != second
    assert third == "mine"


async def test_a_closed_client_has_cancelled_its_calls(target) -> None:
    client = AsyncGatewayClient(target)
    await client.aclose()
    await client.aclose()
