"""Requests sent again under the same id: TagImage through a real channel, and the joins without one."""

import asyncio
from itertools import compress

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.claim import TENANT_KEY
from gateway.cache.memory import MemoryStore
from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import cache_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import ImageContent, ImageUri, TaggingReply
from gateway.rpc.replay import NamedRequest, Replay, meaning_of

WINDOW = 600.0
CALL = Call(tenant="blue")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replay(clock: Clock) -> Replay:
    return Replay(MemoryStore(1 << 20, clock), window=WINDOW)


class Work:
    """Answers with the number of times that it was begun; waits for `go`, if there is one."""

    def __init__(self, go: asyncio.Event | None = None, failures: int = 0) -> None:
        self.begun = 0
        self.ended = 0
        self.go = go
        self.failures = failures

    async def __call__(self) -> pb.Tag:
        self.begun += 1
        number = self.begun
        try:
            if self.go is not None:
                await self.go.wait()
            if number <= self.failures:
                raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")
            return pb.Tag(name=str(number))
        finally:
            self.ended += 1


def named(request_id: str = "a", meaning: bytes = b"m" * 32, method: str = "Service.Method") -> NamedRequest:
    return NamedRequest(method, request_id, meaning)


async def test_what_succeeded_is_not_done_again(replay) -> None:
    work = Work()
    assert await replay(named(), CALL, pb.Tag, work) == (pb.Tag(name="1"), False)
    assert await replay(named(), CALL, pb.Tag, work) == (pb.Tag(name="1"), True)
    assert work.begun == 1


async def test_a_response_is_kept_for_the_window(replay, clock) -> None:
    work = Work()
    await replay(named(), CALL, pb.Tag, work)
    clock.now += WINDOW - 1
    assert (await replay(named(), CALL, pb.Tag, work))[1]
    clock.now += 2  # being asked for does not make it younger
    assert await replay(named(), CALL, pb.Tag, work) == (pb.Tag(name="2"), False)


async def test_a_failure_is_not_kept(replay) -> None:
    work = Work(failures=1)
    with pytest.raises(GatewayError):
        await replay(named(), CALL, pb.Tag, work)
    assert await replay(named(), CALL, pb.Tag, work) == (pb.Tag(name="2"), False)


@pytest.mark.parametrize(
    ("request_", "call"),
    [
        (named("b"), CALL),
        (named(method="Service.Other"), CALL),
        (named(), Call(tenant="red")),
        (named(), Call()),
    ],
)
async def test_ids_are_of_one_tenant_and_one_method(replay, request_, call) -> None:
    work = Work()
    await replay(named(), CALL, pb.Tag, work)
    assert await replay(request_, call, pb.Tag, work) == (pb.Tag(name="2"), False)


async def test_an_id_stands_for_one_request_kept_or_under_way(replay) -> None:
    go = asyncio.Event()
    work = Work(go)
    first = asyncio.create_task(replay(named(), CALL, pb.Tag, work))
    await asyncio.sleep(0)
    other = named(meaning=b"o" * 32)
    with pytest.raises(GatewayError, match="another request") as caught:
        await replay(other, CALL, pb.Tag, work)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_ARGUMENT, "request_id")
    go.set()
    await first
    with pytest.raises(GatewayError, match="another request"):
        await replay(other, CALL, pb.Tag, work)
    assert work.begun == 1


async def test_after_a_failure_an_id_is_free_for_another_request(replay) -> None:
    work = Work(failures=1)
    with pytest.raises(GatewayError):
        await replay(named(), CALL, pb.Tag, work)
    assert await replay(named(meaning=b"o" * 32), CALL, pb.Tag, work) == (pb.Tag(name="2"), False)


async def test_memory_is_bounded_and_the_least_recently_used_goes_first(clock) -> None:
    store = MemoryStore(8192, clock)
    replay = Replay(store, window=WINDOW)
    work = Work()
    for number in range(100):
        await replay(named(str(number)), CALL, pb.Tag, work)
        await replay(named("0"), CALL, pb.Tag, work)
    assert store.size_bytes <= 8192
    assert work.begun == 100  # "0" has never been forgotten
    assert not (await replay(named("1"), CALL, pb.Tag, work))[1]


async def test_each_caller_has_a_message_of_its_own(replay) -> None:
    go = asyncio.Event()
    calls = [asyncio.create_task(replay(named(), CALL, pb.Tag, Work(go))) for _ in range(2)]
    await asyncio.sleep(0)
    go.set()
    (first, _), (second, _) = await asyncio.gather(*calls)
    first.name = "changed"
    assert second.name == "1"


async def test_who_joins_is_bound_by_a_deadline_of_its_own(replay) -> None:
    go = asyncio.Event()
    work = Work(go)
    first = asyncio.create_task(replay(named(), CALL, pb.Tag, work))
    await asyncio.sleep(0)
    hurried = Call(tenant="blue", deadline=asyncio.get_running_loop().time())
    with pytest.raises(GatewayError) as caught:
        await replay(named(), hurried, pb.Tag, work)
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    go.set()
    assert await first == (pb.Tag(name="1"), False)


@settings(max_examples=60, deadline=None)
@given(
    cancelled=st.lists(st.booleans(), min_size=1, max_size=8),
    settling=st.integers(0, 3),
    fails=st.booleans(),
    at_once=st.booleans(),
)
def test_joins_and_cancellations(cancelled: list[bool], settling: int, fails: bool, at_once: bool) -> None:
    """However many of those who wait leave: the others get the one outcome, and nothing is begun twice or left behind."""

    async def run() -> None:
        go = asyncio.Event()
        work = Work(go, failures=int(fails))
        replay = Replay(MemoryStore(1 << 20, Clock()), window=WINDOW)
        calls = [asyncio.create_task(replay(named(), CALL, pb.Tag, work)) for _ in cancelled]
        for _ in range(1 + settling):
            await asyncio.sleep(0)
        leaving = list(compress(calls, cancelled))
        for call in leaving:
            call.cancel()
        if leaving and not at_once:
            await asyncio.wait(leaving)
        go.set()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(call.cancelled() for call in leaving)
        stayed = [outcome for outcome, leaves in zip(outcomes, cancelled, strict=True) if not leaves]
        if fails:
            assert all(isinstance(outcome, GatewayError) for outcome in stayed)
        else:
            assert [response.name for response, _ in stayed] == ["1"] * len(stayed)
        assert work.begun == work.ended <= 1
        # Afterwards the id is as free, or as taken, as the outcome says.
        after = Work()
        _, replayed = await replay(named(), CALL, pb.Tag, after)
        assert replayed == (not after.begun)
        if stayed or not at_once:  # else the work may have ended in the moment in which the last one left
            assert replayed == (bool(stayed) and not fails)

    asyncio.run(run())


async def test_the_meaning_is_of_all_that_is_asked() -> None:
    asked = [
        (ImageContent(b"1"), b"p"),
        (ImageContent(b"2"), b"p"),
        (ImageContent(b"1"), b"q"),
        (ImageContent(b"1"), b"p", b""),
        (ImageUri("https://example.org/1"), b"p"),
        (ImageContent(b"https://example.org/1"), b"p"),
    ]
    meanings = [await meaning_of(*parts) for parts in asked]
    assert len(set(meanings)) == len(asked)
    assert await meaning_of(*asked[0]) == meanings[0]


async def tag(stub, metadata=(), **fields: object) -> pb.TagImageResponse:
    return await stub.TagImage(pb.TagImageRequest(**fields), metadata=metadata)


async def test_the_same_request_gets_the_same_response(stub, provider, dog) -> None:
    first = await tag(stub, content=dog, request_id="a", cache=cache_pb2.CACHE_CONTROL_BYPASS)
    second = await tag(stub, content=dog, request_id="a", cache=cache_pb2.CACHE_CONTROL_BYPASS)
    assert len(provider.calls) == 1
    assert (first.processing.replayed, second.processing.replayed) == (False, True)
    second.processing.replayed = False
    assert first == second


async def test_defaults_that_are_spelt_out_are_the_same_request(stub, provider, dog) -> None:
    await tag(stub, content=dog, request_id="a")
    parameters = pb.TaggingParameters(language=pb.LANGUAGE_ZH, threshold=60, limit=50, version=pb.TAGGING_VERSION_V2)
    assert (await tag(stub, content=dog, request_id="a", parameters=parameters)).processing.replayed


async def test_without_an_id_nothing_is_replayed(stub, provider, dog) -> None:
    for _ in range(2):
        assert not (await tag(stub, content=dog)).processing.replayed
    assert len(provider.calls) == 2


async def test_another_tenant_s_id_is_another(stub, provider, dog) -> None:
    await tag(stub, content=dog, request_id="a", metadata=((TENANT_KEY, "blue"),))
    response = await tag(stub, content=dog, request_id="a", metadata=((TENANT_KEY, "red"),))
    assert not response.processing.replayed
    assert len(provider.calls) == 2


async def test_concurrent_calls_join(stub, provider, dog) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def wait(_: object) -> TaggingReply:
        started.set()
        await go.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = wait
    calls = [asyncio.ensure_future(tag(stub, content=dog, request_id="a")) for _ in range(3)]
    await asyncio.wait_for(started.wait(), 5)
    go.set()
    responses = await asyncio.gather(*calls)
    assert len(provider.calls) == 1
    assert sorted(response.processing.replayed for response in responses) == [False, True, True]


async def test_a_failed_call_is_tried_anew(stub, provider, dog) -> None:
    cat = provider.behaviour

    async def down(_: object) -> None:
        raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")

    provider.behaviour = down
    with pytest.raises(grpc.aio.AioRpcError):
        await tag(stub, content=dog, request_id="a")
    provider.behaviour = cat
    assert not (await tag(stub, content=dog, request_id="a")).processing.replayed


async def refusal(call: object) -> tuple[grpc.StatusCode, str, str]:
    """Code, field and message of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    request = error_details_pb2.BadRequest()
    assert any(detail.Unpack(request) for detail in status.details)
    return caught.value.code(), request.field_violations[0].field, status.message


@pytest.mark.parametrize(
    "other",
    [
        {"content": b"another picture"},
        {"uri": "https://example.org/cat.jpg"},
        {"parameters": pb.TaggingParameters(limit=1)},
        {"cache": cache_pb2.CACHE_CONTROL_REFRESH},
    ],
)
async def test_another_request_under_the_same_id_is_refused(stub, provider, dog, other) -> None:
    await tag(stub, content=dog, request_id="a")
    fields = {} if "uri" in other else {"content": dog}
    code, field, message = await refusal(tag(stub, request_id="a", **(fields | other)))
    assert (code, field) == (grpc.StatusCode.INVALID_ARGUMENT, "request_id")
    assert "another request" in message
    assert len(provider.calls) == 1


async def test_an_id_may_have_64_characters(stub, dog) -> None:
    await tag(stub, content=dog, request_id="x" * 64)
    code, field, message = await refusal(tag(stub, content=dog, request_id="x" * 65))
    assert (code, field) == (grpc.StatusCode.INVALID_ARGUMENT, "request_id")
    assert "65 characters" in message


async def test_a_request_that_is_only_checked_takes_no_id(stub, provider, dog) -> None:
    await tag(stub, content=dog, request_id="a", validate_only=True)
    response = await tag(stub, content=dog, request_id="a")
    assert not response.processing.replayed
    assert response.tags


async def test_an_item_sent_again_over_another_stream_is_replayed(stub, provider, dog) -> None:
    async def replayed(item_id: str) -> bool:
        item = pb.StreamTagImagesItem(item_id=item_id, content=dog, request_id="a")
        responses = [response async for response in stub.StreamTagImages(iter([pb.StreamTagImagesRequest(item=item)]))]
        return responses[0].result.response.processing.replayed

    assert [await replayed("one"), await replayed("two")] == [False, True]
    assert len(provider.calls) == 1
