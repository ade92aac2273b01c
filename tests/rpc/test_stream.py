"""Streams: StreamTagImages through a real channel, and what runs every service's stream without one."""

import asyncio
import dataclasses
from itertools import groupby

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.media import Language, TaggingReply
from gateway.rpc.calls import Calls
from gateway.rpc.held import HeldBytes
from gateway.rpc.pace import Pace
from gateway.rpc.stream import Answer, ItemStream, StreamKind, answered_stream
from gateway.rpc.turns import Admitted

WINDOW = 4  # as the fixture sets it


def item(item_id: str, data: bytes, **more: object) -> pb.StreamTagImagesRequest:
    return pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=item_id, content=data, **more))


def config(**settings_: object) -> pb.StreamTagImagesRequest:
    return pb.StreamTagImagesRequest(config=pb.StreamTagImagesConfig(**settings_))


async def turns() -> None:
    """Turns of the loop, more than enough for everything that can go on to do so."""
    for _ in range(100):
        await asyncio.sleep(0)


async def exchange(stub, requests) -> tuple[list[pb.StreamTagImagesResult], stream_pb2.StreamSummary]:
    responses = [response async for response in stub.StreamTagImages(iter(requests))]
    assert all(response.HasField("result") for response in responses[:-1])
    assert responses[-1].HasField("summary")
    return [response.result for response in responses[:-1]], responses[-1].summary


def stream(answer, write, window: int) -> ItemStream:
    """A stream whose items are answered by `answer`: an item in, whether it succeeded, and texts to write."""

    async def admit(_: object) -> Admitted:
        return Admitted(Call(), lambda: None)

    async def answered(sent: pb.StreamTagImagesItem, _: object, __: object) -> Answer:
        succeeded, texts = await answer(sent)
        results = [pb.StreamTagImagesResult(item_id=text) for text in texts]
        return Answer([pb.StreamTagImagesResponse(result=result) for result in results], succeeded=succeeded)

    kind = StreamKind(
        config=pb.StreamTagImagesConfig(),
        check=lambda _: None,
        admit=admit,
        answer=answered,
        close=lambda summary: pb.StreamTagImagesResponse(summary=summary),
    )
    return ItemStream(kind, write, window=window)


async def test_every_item_is_answered_once_and_the_summary_closes(stub, dog) -> None:
    results, summary = await exchange(stub, [item(str(n), dog) for n in range(20)])
    assert sorted(int(result.item_id) for result in results) == list(range(20))
    assert all(result.response.tags[0].name == "cat" for result in results)
    assert (summary.received, summary.succeeded, summary.failed) == (20, 20, 0)
    assert summary.elapsed.ToNanoseconds() > 0


async def test_an_empty_stream_gets_its_summary(stub) -> None:
    results, summary = await exchange(stub, [])
    assert results == []
    assert (summary.received, summary.succeeded, summary.failed) == (0, 0, 0)


async def test_bad_pictures_fail_alone(stub, dog, bad_pictures) -> None:
    requests = [item(name, data) for name, (data, _) in bad_pictures.items()]
    requests += [item("good-1", dog), pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id="none")), item("good-2", dog)]
    results, summary = await exchange(stub, requests)
    by_id = {result.item_id: result for result in results}
    for name, (_, reason) in bad_pictures.items():
        error = by_id[name].error
        assert error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert reason in error.details[0].value.decode("latin-1")
        assert error.message
    assert by_id["none"].error.message.startswith("source is not set")
    assert by_id["good-1"].HasField("response")
    assert by_id["good-2"].HasField("response")
    assert (summary.received, summary.succeeded, summary.failed) == (len(bad_pictures) + 3, 2, len(bad_pictures) + 1)


@pytest.mark.parametrize("length", [0, 1025])
async def test_an_item_without_a_usable_id_is_answered_too(stub, dog, length) -> None:
    results, summary = await exchange(stub, [item("x" * length, dog), item("y" * 1024, dog)])
    failed = [result for result in results if result.HasField("error")]
    assert [len(result.item_id) for result in failed] == [length]
    assert f"{length} characters" in failed[0].error.message
    assert summary.succeeded == 1


def reversed_answers(provider, count: int) -> None:
    """Let the provider answer only once `count` calls are under way, the last one first."""
    waiting: list[asyncio.Event] = []

    async def behave(_: object) -> TaggingReply:
        mine = asyncio.Event()
        waiting.append(mine)
        if len(waiting) == count:
            waiting[-1].set()
        await mine.wait()
        waiting.pop()
        if waiting:
            waiting[-1].set()
        return TaggingReply("commanded", ())

    provider.behaviour = behave


async def test_results_come_as_they_complete(stub, provider, dog) -> None:
    reversed_answers(provider, WINDOW)
    results, _ = await exchange(stub, [item(str(n), dog) for n in range(WINDOW)])
    assert [result.item_id for result in results] == ["3", "2", "1", "0"]


async def test_results_come_in_order_on_request(stub, provider, dog) -> None:
    reversed_answers(provider, WINDOW)
    requests = [config(order=stream_pb2.RESULT_ORDER_AS_SENT), *(item(str(n), dog) for n in range(WINDOW))]
    results, summary = await exchange(stub, requests)
    assert [result.item_id for result in results] == ["0", "1", "2", "3"]
    assert summary.received == WINDOW


async def test_the_window_bounds_what_is_under_way(stub, provider, dog) -> None:
    full, release = asyncio.Event(), asyncio.Event()

    async def hold(_: object) -> TaggingReply:
        if provider.under_way == WINDOW:
            full.set()
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    call = asyncio.create_task(exchange(stub, [item(str(n), dog) for n in range(50)]))
    await asyncio.wait_for(full.wait(), 5)
    release.set()
    _, summary = await call
    assert provider.most_under_way == WINDOW
    assert summary.succeeded == 50


async def test_an_item_s_parameters_replace_the_stream_s(stub, provider, dog) -> None:
    defaults = pb.TaggingParameters(language=pb.LANGUAGE_EN, threshold=10)
    await exchange(
        stub,
        [
            config(parameters=defaults, order=stream_pb2.RESULT_ORDER_AS_SENT),
            item("a", dog),
            item("b", dog, parameters=pb.TaggingParameters(limit=3)),
        ],
    )
    first, second = (parameters for _, parameters in provider.calls)
    assert (first.language, first.threshold, first.limit) == (Language.EN, 10, 50)
    assert (second.language, second.threshold, second.limit) == (Language.ZH, 60, 3)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda dog: [item("a", dog), config()], "config"),
        (lambda _: [config(), config()], "config"),
        (lambda _: [pb.StreamTagImagesRequest()], "payload"),
        (lambda _: [config(parameters=pb.TaggingParameters(limit=0))], "parameters.limit"),
        (lambda _: [config(order=9)], "config.order"),
    ],
)
async def test_a_broken_protocol_ends_the_stream_and_says_why(stub, dog, make, field) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await exchange(stub, make(dog))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()


async def test_items_before_a_violation_are_answered(stub, dog) -> None:
    call = stub.StreamTagImages(iter([item("a", dog), item("b", dog), config()]))
    assert {(await call.read()).result.item_id for _ in range(2)} == {"a", "b"}
    with pytest.raises(grpc.aio.AioRpcError):
        await call.read()


async def test_bytes_that_are_no_message_end_the_stream_and_say_so(channel) -> None:
    call = channel.stream_stream("/gateway.imagerecognition.v1.TaggingService/StreamTagImages")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [response async for response in call(iter([b"\xff\xff\xff"]))]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_cancelling_the_stream_cancels_all_its_items(stub, provider, dog) -> None:
    full, drained = asyncio.Event(), asyncio.Event()

    async def stuck(_: object) -> None:
        if provider.under_way == WINDOW:
            full.set()
        try:
            await asyncio.Event().wait()
        finally:
            if provider.under_way == 1:
                drained.set()

    provider.behaviour = stuck
    call = stub.StreamTagImages(iter([item(str(n), dog) for n in range(10)]))
    reading = asyncio.create_task(call.read())
    await asyncio.wait_for(full.wait(), 5)
    call.cancel()
    await asyncio.wait_for(drained.wait(), 5)
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_client_that_does_not_read_holds_back_the_stream() -> None:
    """Without a channel, whose buffers would hide it: an item's place is free only once its result is written."""
    reading = asyncio.Event()
    written: list[pb.StreamTagImagesResponse] = []
    taken = 0

    async def write(response: pb.StreamTagImagesResponse) -> None:
        await reading.wait()
        written.append(response)

    async def answer(sent: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        return True, [sent.item_id]

    async def requests():
        nonlocal taken
        for n in range(100):
            taken += 1
            yield item(str(n), b"x")

    run = asyncio.create_task(stream(answer, write, window=3).run(requests(), HeldBytes(1 << 30), Pace()))
    await turns()
    assert taken == 4  # the window, and one that waits for a place
    reading.set()
    await run
    assert len(written) == 101


@pytest.mark.parametrize("returns_files", [False, True])
async def test_what_an_unread_answer_holds(returns_files) -> None:
    """The item's bytes, if the answer is as long; else nothing, so that nobody is kept out by those who do not read."""
    writing, reading = asyncio.Event(), asyncio.Event()

    async def write(_: pb.StreamTagImagesResponse) -> None:
        writing.set()
        await reading.wait()

    async def answer(sent: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        return True, [sent.item_id]

    async def requests():
        yield item("x", bytes(1000))

    held, one = HeldBytes(1 << 30), stream(answer, write, window=2)
    one._kind = dataclasses.replace(one._kind, returns_files=returns_files)
    run = asyncio.create_task(one.run(requests(), held, Pace()))
    await asyncio.wait_for(writing.wait(), 5)
    assert (held.held > 1000) is returns_files
    reading.set()
    await run
    assert held.held == 0


class GoneClient:
    """A call whose client has gone away, as gRPC shows it: writing fails from the message on that is called `last`."""

    def __init__(self, last: str) -> None:
        self.last = last

    def done(self) -> bool:
        return False  # it takes gRPC a while

    async def write(self, response: pb.StreamTagImagesResponse) -> None:
        if response.WhichOneof("payload") == self.last:
            raise grpc.aio.InternalError("the batch failed")


@pytest.mark.parametrize("last", ["result", "summary"])
async def test_a_client_that_went_away_is_no_fault(last) -> None:
    async def answer(sent: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        return True, [sent.item_id]

    async def requests():
        for n in range(3):
            yield item(str(n), b"x")

    context, calls = GoneClient(last), Calls()
    await answered_stream(context, calls, lambda: stream(answer, context.write, window=2), requests())
    assert await calls.ended(1)
    assert calls.held.held == 0


async def test_a_fault_of_ours_is_not_taken_for_that() -> None:
    async def answer(_: pb.StreamTagImagesItem) -> None:
        raise ZeroDivisionError

    async def requests():
        yield item("x", b"x")

    context = GoneClient("summary")
    with pytest.raises(ExceptionGroup):
        await answered_stream(context, Calls(), lambda: stream(answer, context.write, window=2), requests())


@settings(max_examples=60, deadline=None)
@given(
    outcomes=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 4)), max_size=30),
    window=st.integers(1, 8),
    in_order=st.booleans(),
)
def test_whatever_the_timing_every_item_is_answered_once_and_in_one_piece(outcomes, window, in_order) -> None:
    """Each item succeeds or fails after some turns of the loop, and is answered by some messages."""
    written: list[pb.StreamTagImagesResponse] = []

    async def write(response: pb.StreamTagImagesResponse) -> None:
        await asyncio.sleep(0)
        written.append(response)

    async def answer(sent: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        good, turns, count = outcomes[int(sent.item_id)]
        for _ in range(turns):
            await asyncio.sleep(0)
        return good, [sent.item_id] * count

    async def requests():
        yield config(order=stream_pb2.RESULT_ORDER_AS_SENT if in_order else stream_pb2.RESULT_ORDER_AS_COMPLETED)
        for n in range(len(outcomes)):
            yield item(str(n), b"x")

    asyncio.run(stream(answer, write, window=window).run(requests(), HeldBytes(1 << 30), Pace()))
    runs = [(int(name), len(list(run))) for name, run in groupby(response.result.item_id for response in written[:-1])]
    assert (runs if in_order else sorted(runs)) == [(n, count) for n, (_, _, count) in enumerate(outcomes)]
    summary = written[-1].summary
    good = sum(good for good, _, _ in outcomes)
    assert (summary.received, summary.succeeded, summary.failed) == (len(outcomes), good, len(outcomes) - good)


@pytest.mark.parametrize("half_closes", [True, False])
async def test_a_stream_that_is_stopped_drops_what_still_comes(half_closes) -> None:
    """Else its connection is closed with bytes unread, and is reset before the client has read how the stream ended."""
    sent, written, go_on = [], [], asyncio.Event()

    async def answer(sent: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        await go_on.wait()
        return True, [sent.item_id]

    async def requests():
        for n in range(20):
            sent.append(n)
            yield item(str(n), b"x")
        if not half_closes:
            await asyncio.Event().wait()

    async def write(response: pb.StreamTagImagesResponse) -> None:
        written.append(response.result.item_id)

    stopped, held = stream(answer, write, window=2), HeldBytes(1 << 20)
    run = asyncio.create_task(stopped.run(requests(), held, Pace()))
    await turns()
    assert len(sent) == 3  # two are at work, and one waits
    stopped.stop()
    await turns()
    assert (len(sent), written) == (20, [])
    go_on.set()
    with pytest.raises(GatewayError) as caught:
        await run
    assert (caught.value.reason, caught.value.measured) == (Reason.SHUTTING_DOWN, "2 items answered")
    assert sorted(written) == ["0", "1"]
    assert held.held == 0


@pytest.mark.parametrize("stops", [True, False])
async def test_a_call_that_is_over_is_not_kept_by_an_item_that_waits(stops) -> None:
    async def answer(_: pb.StreamTagImagesItem) -> tuple[bool, list[str]]:
        await asyncio.Event().wait()
        raise AssertionError

    async def requests():
        for n in range(3):
            yield item(str(n), b"x")
        await asyncio.Event().wait()

    async def write(_: object) -> None: ...

    kept, held = stream(answer, write, window=1), HeldBytes(1 << 20)
    run = asyncio.create_task(kept.run(requests(), held, Pace()))
    await turns()
    assert held.held
    if stops:
        kept.stop()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert held.held == 0
