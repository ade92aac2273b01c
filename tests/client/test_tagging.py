"""The client against a scripted server on a real channel."""

import asyncio
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from google.rpc import status_pb2

from gateway.client import (
    MAX_CONTENT_BYTES,
    CacheUse,
    GatewayError,
    ImageContent,
    ImageUri,
    Item,
    Language,
    Reason,
    TaggedImage,
    TaggingClient,
    TaggingParameters,
    TaggingVersion,
)
from gateway.imagerecognition.v1 import cache_pb2, processing_pb2, stream_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.status import to_status

ANSWER = pb.TagImageResponse(
    tags=[pb.Tag(name="cat", confidence=90, localized_name=pb.LocalizedText(zh="猫", en="cat"))],
    processing=processing_pb2.Processing(provider="local", attempts=1),
)


class ScriptedServer(pb_grpc.TaggingServiceServicer):
    """Answers every item with `ANSWER`, unless a test replaces `stream`."""

    def __init__(self) -> None:
        self.unary: list[pb.TagImageRequest] = []
        self.streamed: list[pb.StreamTagImagesRequest] = []
        self.error: GatewayError | None = None
        self.stream: Callable = self._echo
        self.batches: list[pb.BatchTagImagesRequest] = []
        self.batch_response = pb.BatchTagImagesResponse()

    async def BatchTagImages(self, request: pb.BatchTagImagesRequest, context) -> pb.BatchTagImagesResponse:
        self.batches.append(request)
        return self.batch_response

    async def TagImage(self, request: pb.TagImageRequest, context):
        self.unary.append(request)
        if self.error is not None:
            details = (("grpc-status-details-bin", to_status(self.error).SerializeToString()),)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, self.error.message, details)
        return ANSWER

    async def StreamTagImages(self, request_iterator, context):
        async for response in self.stream(request_iterator, context):
            yield response

    async def _echo(self, requests, context) -> AsyncIterator[pb.StreamTagImagesResponse]:
        del context
        async for request in requests:
            self.streamed.append(request)
            if request.HasField("item"):
                yield self.result(request.item.item_id)
        yield pb.StreamTagImagesResponse(summary=stream_pb2.StreamSummary())

    @staticmethod
    def result(item_id: str) -> pb.StreamTagImagesResponse:
        return pb.StreamTagImagesResponse(result=pb.StreamTagImagesResult(item_id=item_id, response=ANSWER))


@pytest.fixture
def script() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
async def client(script: ScriptedServer) -> AsyncIterator[TaggingClient]:
    server = grpc.aio.server()
    pb_grpc.add_TaggingServiceServicer_to_server(script, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with TaggingClient(f"127.0.0.1:{port}") as client:
        yield client
    await server.stop(None)


def loading(*outcomes: object):
    """Items 0, 1, …, each giving its outcome, or raising it."""

    def make(outcome: object):
        async def load():
            if isinstance(outcome, GatewayError):
                raise outcome
            return outcome

        return load

    return [(str(n), make(outcome)) for n, outcome in enumerate(outcomes)]


async def collected(client: TaggingClient, items, **options: object) -> dict[str, TaggedImage | GatewayError]:
    outcomes = [item async for item in client.tag_stream(items, **options)]
    assert all(isinstance(item, Item) for item in outcomes)
    ids = [item.item_id for item in outcomes]
    assert len(ids) == len(set(ids)), "an item was answered twice"
    return {item.item_id: item.outcome for item in outcomes}


async def test_tag_sends_the_parameters_and_reads_the_answer(client, script) -> None:
    tagged = await client.tag(
        ImageContent(b"x"), TaggingParameters(language=Language.EN, threshold=0, limit=3), cache=CacheUse.REFRESH
    )
    assert script.unary[0] == pb.TagImageRequest(
        content=b"x",
        parameters=pb.TaggingParameters(language=pb.LANGUAGE_EN, threshold=0, limit=3, version=pb.TAGGING_VERSION_V2),
        cache=cache_pb2.CACHE_CONTROL_REFRESH,
    )
    assert (tagged.reply.tags[0].localized_name.zh, tagged.reply.provider, tagged.facts) == ("猫", "local", None)


async def test_tag_sends_the_version_and_the_name_of_the_request(client, script) -> None:
    await client.tag(ImageContent(b"x"), TaggingParameters.defaults(TaggingVersion.V1), request_id="a")
    assert script.unary[0].request_id == "a"
    parameters = script.unary[0].parameters
    assert (parameters.version, parameters.threshold, parameters.limit) == (pb.TAGGING_VERSION_V1, 0, 30)


async def test_an_answer_tells_what_was_replayed_and_how_long_decoding_took(client, script) -> None:
    processing = processing_pb2.Processing(provider="local", replayed=True, decode_time={"nanos": 500_000_000})
    answer = pb.TagImageResponse(processing=processing)
    script.batch_response.results.add(response=answer)
    (tagged,) = await client.tag_batch([ImageContent(b"x")])
    assert (tagged.replayed, tagged.reply.decode_time) == (True, 0.5)
    assert not (await client.tag(ImageContent(b"x"))).replayed


async def test_validate_checks_only(client, script) -> None:
    checked = await client.validate(ImageContent(b"x"), TaggingParameters(limit=3))
    assert script.unary[0].validate_only
    assert script.unary[0].parameters.limit == 3
    assert checked.reply.provider == "local"


async def test_a_batch_has_an_outcome_for_each_picture_in_order(client, script) -> None:
    error = GatewayError(Reason.IMAGE_EMPTY, "empty", field="content")
    script.batch_response.results.add(error=to_status(error))
    script.batch_response.results.add(response=ANSWER)
    failed, tagged = await client.tag_batch(
        [ImageContent(b"x"), ImageUri("https://example.org/x.png")], TaggingParameters(limit=3), cache=CacheUse.BYPASS
    )
    assert (failed.reason, failed.field) == (Reason.IMAGE_EMPTY, "content")
    assert tagged.reply.tags[0].name == "cat"
    (batch,) = script.batches
    assert (batch.parameters.limit, batch.cache) == (3, cache_pb2.CACHE_CONTROL_BYPASS)
    assert list(batch.requests) == [pb.TagImageRequest(content=b"x"), pb.TagImageRequest(uri="https://example.org/x.png")]


async def test_a_batch_that_is_not_answered_one_by_one_is_an_error(client, script) -> None:
    script.batch_response.results.add(response=ANSWER)
    with pytest.raises(GatewayError, match="not one of the contract's"):
        await client.tag_batch([ImageContent(b"x")] * 2)


async def test_tag_sends_a_uri(client, script) -> None:
    await client.tag(ImageUri("https://example.org/x.png"))
    assert script.unary[0].uri == "https://example.org/x.png"


async def test_tag_raises_the_typed_error(client, script) -> None:
    script.error = GatewayError(Reason.IMAGE_EMPTY, "nothing there", field="content", measured="0 bytes", retry_after=2.5)
    with pytest.raises(GatewayError) as caught:
        await client.tag(ImageContent(b""))
    error = caught.value
    assert (error.reason, error.message, error.field, error.measured, error.retry_after, error.upstream) == (
        Reason.IMAGE_EMPTY,
        "nothing there",
        "content",
        "0 bytes",
        2.5,
        None,
    )


async def test_a_gateway_that_is_not_there_is_unavailable() -> None:
    async with TaggingClient("127.0.0.1:1") as client:
        with pytest.raises(GatewayError) as caught:
            await client.tag(ImageContent(b"x"), timeout=5)
    assert caught.value.reason is Reason.UNAVAILABLE


async def test_a_deadline_is_typed(client, script) -> None:
    async def silent(requests, context):
        await asyncio.Event().wait()
        yield

    script.stream = silent
    outcomes = await collected(client, loading(ImageContent(b"x")), timeout=0.1)
    assert outcomes["0"].reason is Reason.DEADLINE_EXCEEDED


async def test_a_file_that_no_gateway_takes_is_not_sent(client, script) -> None:
    with pytest.raises(GatewayError) as caught:
        await client.tag(ImageContent(bytes(MAX_CONTENT_BYTES + 1)))
    assert caught.value.reason is Reason.IMAGE_TOO_LARGE
    assert script.unary == []


async def test_every_item_of_a_stream_gets_its_outcome(client, script) -> None:
    unreadable = GatewayError(Reason.INVALID_ARGUMENT, "no such file")
    items = loading(ImageContent(b"x"), unreadable, ImageUri("https://example.org/"), ImageContent(bytes(MAX_CONTENT_BYTES + 1)))
    outcomes = await collected(client, items, in_order=True)
    assert list(outcomes) == ["0", "1", "2", "3"]
    assert isinstance(outcomes["0"], TaggedImage)
    assert outcomes["1"] is unreadable
    assert isinstance(outcomes["2"], TaggedImage)
    assert outcomes["3"].reason is Reason.IMAGE_TOO_LARGE
    assert [request.item.item_id for request in script.streamed[1:]] == ["0", "2"]
    assert script.streamed[0].config.order == stream_pb2.RESULT_ORDER_AS_SENT


async def test_an_empty_stream_ends(client) -> None:
    assert await collected(client, []) == {}


async def test_an_item_s_error_is_typed(client, script) -> None:
    async def refuse(requests, context):
        async for request in requests:
            if request.HasField("item"):
                status = to_status(GatewayError(Reason.IMAGE_DAMAGED, "torn"))
                yield pb.StreamTagImagesResponse(result=pb.StreamTagImagesResult(item_id=request.item.item_id, error=status))

    script.stream = refuse
    outcomes = await collected(client, loading(ImageContent(b"x")))
    assert (outcomes["0"].reason, outcomes["0"].message) == (Reason.IMAGE_DAMAGED, "torn")


async def test_a_reason_of_a_newer_gateway_falls_back_on_the_code(client, script) -> None:
    async def refuse(requests, context):
        async for request in requests:
            if request.HasField("item"):
                status = status_pb2.Status(code=grpc.StatusCode.UNAVAILABLE.value[0], message="new")
                yield pb.StreamTagImagesResponse(result=pb.StreamTagImagesResult(item_id=request.item.item_id, error=status))

    script.stream = refuse
    assert (await collected(client, loading(ImageContent(b"x"))))["0"].reason is Reason.UNAVAILABLE


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("abort", [True, False])
async def test_when_the_call_breaks_every_item_is_still_answered_once(client, script, abort, in_order) -> None:
    """Those sent but not answered, and those not even sent."""

    async def break_after_one(requests, context):
        async for request in requests:
            if request.HasField("item"):
                yield script.result(request.item.item_id)
                if abort:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
                return

    script.stream = break_after_one
    outcomes = await collected(client, loading(*[ImageContent(b"x")] * 50), in_order=in_order)
    ids = [int(item_id) for item_id in outcomes]
    assert (ids if in_order else sorted(ids)) == list(range(50))
    assert sum(isinstance(outcome, TaggedImage) for outcome in outcomes.values()) == 1
    failures = {(outcome.reason, outcome.message) for outcome in outcomes.values() if isinstance(outcome, GatewayError)}
    assert {reason for reason, _ in failures} == {Reason.UNAVAILABLE}, failures


async def test_the_same_id_twice_is_answered_twice(client) -> None:
    items = [*loading(ImageContent(b"x")), *loading(ImageContent(b"y"))]
    assert [item.item_id async for item in client.tag_stream(items)] == ["0", "0"]


async def test_stopping_early_cancels_the_call(client, script) -> None:
    cancelled = asyncio.Event()

    async def slow(requests, context):
        context.add_done_callback(lambda _: cancelled.set())
        async for request in requests:
            if request.HasField("item"):
                yield script.result(request.item.item_id)

    script.stream = slow
    stream = client.tag_stream(loading(*[ImageContent(b"x")] * 5))
    await anext(stream)
    await stream.aclose()
    await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize("where", ["load", "items"])
async def test_the_caller_s_own_faults_are_raised_as_they_are(client, where) -> None:
    async def faulty():
        raise KeyError("mine")

    def items():
        yield from loading(ImageContent(b"x"))
        if where == "items":
            raise KeyError("mine")
        yield "1", faulty

    with pytest.raises(KeyError, match="mine"):
        await collected(client, items())


async def test_an_id_that_is_no_text_fails_alone(client) -> None:
    async def load():
        return ImageContent(b"x")

    outcomes = await collected(client, [("\udcff.jpg", load), ("good", load)])
    assert outcomes["\udcff.jpg"].reason is Reason.INVALID_ARGUMENT
    assert isinstance(outcomes["good"], TaggedImage)


async def test_items_that_cannot_be_loaded_are_reported_while_the_gateway_is_silent(client, script) -> None:
    async def silent(requests, context):
        await asyncio.Event().wait()
        yield

    script.stream = silent
    stream = client.tag_stream(loading(GatewayError(Reason.INVALID_ARGUMENT, "no such file"), ImageContent(b"x")))
    assert (await asyncio.wait_for(anext(stream), 5)).item_id == "0"
    await stream.aclose()


async def test_after_a_break_unsent_items_are_not_gathered_first(client, script) -> None:
    """An endless source of items is as good as any: it is only asked for the next one."""

    async def broken(requests, context):
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        yield

    def endless():
        while True:
            yield from loading(ImageContent(b"x"))

    script.stream = broken
    stream = client.tag_stream(endless())
    outcomes = [await asyncio.wait_for(anext(stream), 5) for _ in range(100)]
    assert {item.outcome.reason for item in outcomes} == {Reason.UNAVAILABLE}
    await stream.aclose()


async def test_closing_the_client_answers_what_is_left(script, client) -> None:
    started = asyncio.Event()

    async def silent(requests, context):
        started.set()
        await asyncio.Event().wait()
        yield

    script.stream = silent
    reading = asyncio.create_task(collected(client, loading(ImageContent(b"x"))))
    await asyncio.wait_for(started.wait(), 5)
    await client.aclose()
    assert (await asyncio.wait_for(reading, 5))["0"].reason is Reason.CANCELLED


async def test_another_service_is_named_as_such() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with TaggingClient(f"127.0.0.1:{port}") as client:
        with pytest.raises(GatewayError) as caught:
            await client.tag(ImageContent(b"x"), timeout=5)
    await server.stop(None)
    assert caught.value.reason is Reason.UNIMPLEMENTED


async def test_a_message_over_the_server_s_limit_is_not_taken_for_a_throttle() -> None:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1000)])
    pb_grpc.add_TaggingServiceServicer_to_server(ScriptedServer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with TaggingClient(f"127.0.0.1:{port}") as client:
        with pytest.raises(GatewayError) as caught:
            await client.tag(ImageContent(bytes(2000)), timeout=5)
    await server.stop(None)
    assert caught.value.reason is Reason.IMAGE_TOO_LARGE


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(script, client, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with TaggingClient(client.target) as direct:
        assert (await direct.tag(ImageContent(b"x"), timeout=5)).reply.provider == "local"


@pytest.mark.parametrize("in_order", [True, False])
async def test_a_load_under_way_when_the_call_breaks_is_given_up(client, script, in_order) -> None:
    loading_, given_up = asyncio.Event(), asyncio.Event()

    async def broken(requests, context):
        await loading_.wait()
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        yield

    async def load():
        loading_.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    script.stream = broken
    outcomes = await collected(client, [("0", load)], in_order=in_order)
    assert outcomes["0"].reason is Reason.UNAVAILABLE
    await asyncio.wait_for(given_up.wait(), 5)


async def test_items_that_cannot_be_loaded_wait_for_the_reader(client) -> None:
    taken = 0

    def failing():
        nonlocal taken
        while True:
            taken += 1
            yield from loading(GatewayError(Reason.INVALID_ARGUMENT, "no such file"))

    stream = client.tag_stream(failing())
    await anext(stream)
    for _ in range(200):  # turns of the loop for the sender to run away in
        await asyncio.sleep(0)
    assert taken < 10
    await stream.aclose()
