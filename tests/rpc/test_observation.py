"""What is seen of calls from outside, over a real server."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry

from gateway.access.api_keys import ApiKeyAuthenticator
from gateway.access.authenticator import Authentication
from gateway.access.gate import Gate
from gateway.access.key_text import new_key
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import KeyRecord, Roster
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import enhancement_pb2, enhancement_pb2_grpc, file_pb2
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.rpc.call_log import CallLog
from gateway.rpc.telemetry import RpcTelemetry
from gateway.telemetry.tracing import Tracing
from tests.gates import open_gate

SERVICE = "gateway.imagerecognition.v1.TaggingService"
TAG, STREAM, BATCH = f"{SERVICE}/TagImage", f"{SERVICE}/StreamTagImages", f"{SERVICE}/BatchTagImages"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Root(Sampler):
    """Decides on traces that begin here."""

    def __init__(self) -> None:
        self.decision = Decision.RECORD_AND_SAMPLE

    def should_sample(self, *_: object, **__: object) -> SamplingResult:
        return SamplingResult(self.decision)

    def get_description(self) -> str:
        return "commanded"


class Seen:
    """A server with all that is seen of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.exporter = InMemorySpanExporter()
        self.root = Root()
        traces = TracerProvider(ParentBased(self.root), shutdown_on_exit=False)
        traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemetry = RpcTelemetry(self.registry, CallLog("info"), Tracing(traces.get_tracer("test")))
        self.channel: grpc.aio.Channel

    @property
    def stub(self):
        return pb_grpc.TaggingServiceStub(self.channel)

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"image_gateway_rpc_{name}", labels) or 0.0

    def handled(self, method: str, code: str, reason: str = "") -> float:
        return self.value("handled_total", method=method, tenant_class="default", code=code, reason=reason)

    async def until(self, condition) -> None:
        """The server's end of a call comes a little later than the client's."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  # counters tell nobody
                await asyncio.sleep(0.005)

    def spans(self, name: str):
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture
def gate(request) -> Gate:
    """Everybody may do everything, unless a test names another."""
    return request.getfixturevalue(request.param) if hasattr(request, "param") else open_gate()


@pytest.fixture
async def seen(make_server) -> AsyncIterator[Seen]:
    it = Seen()
    server = make_server(telemetry=it.telemetry, stream_window=4, drain_timeout=5)
    async with grpc.aio.insecure_channel(await server.start("127.0.0.1:0")) as it.channel:
        yield it
    await asyncio.wait_for(server.drain(), 10)


def request(dog: bytes, **fields: object) -> pb.TagImageRequest:
    return pb.TagImageRequest(content=dog, **fields)


async def test_a_call_that_succeeds(seen, dog) -> None:
    await seen.stub.TagImage(request(dog))
    await seen.until(lambda: seen.handled(TAG, "OK"))
    assert seen.value("started_total", method=TAG) == 1
    assert seen.value("duration_seconds_count", method=TAG, tenant_class="default") == 1
    assert seen.value("in_flight", method=TAG) == 0


async def test_a_call_that_is_refused_is_counted_by_its_reason(seen) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await seen.stub.TagImage(pb.TagImageRequest())
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await seen.until(lambda: seen.handled(TAG, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))
    assert seen.handled(TAG, "OK") == 0


async def test_a_refusal_at_the_door_is_counted_too(seen, provider, dog) -> None:
    """Admission answers that one, not the service."""
    broken = seen.channel.unary_unary(f"/{TAG}")
    with pytest.raises(grpc.aio.AioRpcError):
        await broken(b"\xff\xff\xff")
    await seen.until(lambda: seen.handled(TAG, "INVALID_ARGUMENT", "INVALID_ARGUMENT"))


@pytest.mark.parametrize(("leave", "code"), [("cancel", "CANCELLED"), ("deadline", "DEADLINE_EXCEEDED")])
async def test_a_call_whose_caller_leaves(seen, provider, dog, leave, code) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def hang(_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    provider.behaviour = hang
    call = seen.stub.TagImage(request(dog), timeout=0.5 if leave == "deadline" else None)
    await begun.wait()
    assert seen.value("in_flight", method=TAG) == 1
    if leave == "cancel":
        call.cancel()
    with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
        await call
    await gone.wait()
    # The gateway's own deadline and gRPC's race; the status is the same.
    await seen.until(lambda: seen.handled(TAG, code) + seen.handled(TAG, code, code))
    assert seen.value("in_flight", method=TAG) == 0


async def test_a_failure_that_nobody_foresaw(seen, provider, dog, caplog) -> None:
    async def fail(_: object) -> None:
        raise ZeroDivisionError

    provider.behaviour = fail
    with pytest.raises(grpc.aio.AioRpcError):
        await seen.stub.TagImage(request(dog))
    await seen.until(lambda: seen.handled(TAG, "INTERNAL", "INTERNAL"))
    (ended,) = [record for record in caplog.records if record.name == "gateway.calls"]
    assert ended.levelno == logging.WARNING
    assert (ended.fields["code"], ended.fields["reason"]) == ("INTERNAL", "INTERNAL")


async def test_what_alerts_ask_for_is_there_before_and_counts_all_but_grpcs_own(seen, dog) -> None:
    failed = {"code": "INTERNAL", "reason": "INTERNAL"}
    items = {"method": BATCH, "outcome": "INTERNAL"}
    assert seen.registry.get_sample_value("image_gateway_rpc_ended_total", failed) == 0
    assert seen.registry.get_sample_value("image_gateway_rpc_items_total", items) == 0
    await seen.stub.TagImage(request(dog))
    await health_pb2_grpc.HealthStub(seen.channel).Check(health_pb2.HealthCheckRequest())
    await seen.until(lambda: seen.handled("grpc.health.v1.Health/Check", "OK"))
    assert seen.value("ended_total", code="OK", reason="") == 1


async def test_methods_that_are_made_up_are_one(seen) -> None:
    for name in ("/made.Up/A", "/made.Up/B"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await seen.channel.unary_unary(name)(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert seen.handled("unknown", "UNIMPLEMENTED") == 2
    assert seen.value("in_flight", method="unknown") == 0


async def test_items_of_streams_and_batches_are_counted_by_outcome(seen, provider, dog) -> None:
    async def sometimes(image: object) -> object:
        if len(provider.calls) % 2:
            raise GatewayError(Reason.UPSTREAM_THROTTLED, "no")
        return await provider._cat(image)

    provider.behaviour = sometimes
    items = [pb.StreamTagImagesRequest(item=pb.StreamTagImagesItem(item_id=str(n), content=dog)) for n in range(4)]
    answers = [answer async for answer in seen.stub.StreamTagImages(iter(items))]
    assert answers[-1].summary.succeeded == 2
    await seen.until(lambda: seen.handled(STREAM, "OK"))
    assert seen.value("items_total", method=STREAM, outcome="ok") == 2
    assert seen.value("items_total", method=STREAM, outcome="UPSTREAM_THROTTLED") == 2
    await seen.stub.BatchTagImages(pb.BatchTagImagesRequest(requests=[request(dog), pb.TagImageRequest()]))
    await seen.until(lambda: seen.handled(BATCH, "OK"))
    assert seen.value("items_total", method=BATCH, outcome="INVALID_ARGUMENT") == 1
    (span,) = seen.spans(STREAM)
    assert [item.parent.span_id for item in seen.spans("item")].count(span.context.span_id) == 4


async def test_generators_and_watches_pass(seen, caplog) -> None:
    """gRPC's own services are of every kind: coroutines, generators, such that write."""
    stub = health_pb2_grpc.HealthStub(seen.channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    assert (await stub.Check(health_pb2.HealthCheckRequest(service="provider/commanded"))).status == 1
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    await seen.until(lambda: seen.handled("grpc.health.v1.Health/Watch", "CANCELLED"))
    assert not seen.exporter.get_finished_spans()
    assert all(record.levelno == logging.DEBUG for record in caplog.records if record.name == "gateway.calls")


@pytest.mark.parametrize("sent", ["", "with space", "x" * 129, "caf\u00e9"])
async def test_a_call_without_a_sane_name_gets_one(seen, dog, sent) -> None:
    metadata = [("x-request-id", sent)] if sent.isascii() and sent else []
    call = seen.stub.TagImage(request(dog), metadata=metadata)
    name = dict(await call.trailing_metadata())["x-request-id"]
    assert len(name) == 32
    assert name != sent


async def test_callers_are_told_their_calls_name_however_it_ends(seen, dog) -> None:
    metadata = [("x-request-id", "order-7/1")]
    call = seen.stub.TagImage(request(dog), metadata=metadata)
    assert dict(await call.trailing_metadata())["x-request-id"] == "order-7/1"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await seen.stub.TagImage(pb.TagImageRequest(), metadata=metadata)
    trailers = dict(caught.value.trailing_metadata())
    assert trailers["x-request-id"] == "order-7/1"
    assert "grpc-status-details-bin" in trailers
    upload = enhancement_pb2_grpc.EnhancementServiceStub(seen.channel).StreamEnhanceDarkImage(metadata=metadata)
    config = enhancement_pb2.StreamEnhanceDarkImageConfig(upload=file_pb2.FileInfo(size_bytes=1, sha256=bytes(32)))
    await upload.write(enhancement_pb2.StreamEnhanceDarkImageRequest(config=config))
    assert dict(await upload.initial_metadata())["x-request-id"] == "order-7/1"
    upload.cancel()


async def test_a_call_continues_its_callers_trace(seen, dog) -> None:
    metadata = [("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=x")]
    await seen.stub.TagImage(request(dog), metadata=metadata)
    await seen.until(lambda: seen.spans(TAG))
    (span,) = seen.spans(TAG)
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert span.context.trace_state["vendor"] == "x"
    assert dict(span.attributes) | {"rpc.system.name": "grpc", "rpc.response.status_code": "OK"} == dict(span.attributes)
    (prepare,) = seen.spans("prepare")
    assert prepare.parent.span_id == span.context.span_id


KEY = new_key()


@pytest.fixture
def unasked() -> Gate:
    return open_gate()


@pytest.fixture
def asking() -> Gate:
    """Asks for a key; whoever shows none is nobody."""
    roster = Roster(keys={KEY.id: KeyRecord("shop", KEY.hash)})
    authentication = Authentication([ApiKeyAuthenticator(lambda: roster, time.time)], allow_anonymous=True)
    return Gate(authentication, lambda: roster, AccessMetrics(CollectorRegistry()), time.monotonic)


BAD_CLAIMS = [[("x-tenant-id", "x" * 500)], [("x-tenant-id", "a"), ("x-tenant-id", "a")]]


@pytest.mark.parametrize("claims", BAD_CLAIMS, ids=["long", "twice"])
@pytest.mark.parametrize("gate", ["unasked", "asking"], indirect=True)
async def test_a_caller_that_claims_what_is_none_is_no_stranger_by_that(seen, dog, claims) -> None:
    """Its credentials are taken, or nobody is asked for any."""
    metadata = [("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-api-key", KEY.text), *claims]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await seen.stub.TagImage(request(dog), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await seen.until(lambda: seen.spans(TAG))
    (span,) = seen.spans(TAG)
    assert f"{span.context.trace_id:032x}" == TRACE


@pytest.mark.parametrize("gate", ["asking"], indirect=True)
async def test_strangers_do_not_say_what_is_traced(seen, dog) -> None:
    await seen.stub.TagImage(request(dog), metadata=[("traceparent", f"00-{TRACE}-{PARENT}-01")])
    await seen.until(lambda: seen.spans(TAG))
    (span,) = seen.spans(TAG)
    assert span.parent is None
    assert f"{span.context.trace_id:032x}" != TRACE


@pytest.mark.parametrize("gate", ["asking"], indirect=True)
async def test_calls_that_are_refused_for_their_credentials_fill_no_collector(seen, dog) -> None:
    refused = [("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-api-key", "igk_0")]
    for _ in range(3):
        with pytest.raises(grpc.aio.AioRpcError):
            await seen.stub.TagImage(request(dog), metadata=refused)
    await seen.stub.TagImage(request(dog), metadata=[("x-api-key", KEY.text)])
    await seen.until(lambda: seen.value("ended_total", code="UNAUTHENTICATED", reason="UNAUTHENTICATED") == 3)
    await seen.until(lambda: seen.handled(TAG, "OK"))
    (span,) = seen.spans(TAG)
    assert span.attributes["rpc.response.status_code"] == "OK"


@pytest.mark.parametrize("gate", ["asking"], indirect=True)
async def test_strangers_are_traced_by_the_gateway_s_own_choice(seen, dog) -> None:
    seen.root.decision = Decision.DROP
    metadata = [("traceparent", f"00-{TRACE}-{PARENT}-01")]
    await seen.stub.TagImage(request(dog), metadata=metadata)
    await seen.stub.TagImage(request(dog), metadata=[*metadata, ("x-api-key", KEY.text)])
    await seen.until(lambda: seen.handled(TAG, "OK") == 2)
    (span,) = seen.spans(TAG)  # of the caller that is known
    assert f"{span.context.trace_id:032x}" == TRACE
    assert [one.context.trace_id for one in seen.spans("prepare")] == [span.context.trace_id]


@pytest.mark.parametrize("sent", ["", "garbage", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"])
async def test_a_context_that_is_none_begins_a_new_trace(seen, dog, sent) -> None:
    await seen.stub.TagImage(request(dog), metadata=[("traceparent", sent)] if sent else [])
    await seen.until(lambda: seen.spans(TAG))
    (span,) = seen.spans(TAG)
    assert span.parent is None


async def test_only_faults_of_the_server_make_a_span_fail(seen, provider, dog) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await seen.stub.TagImage(pb.TagImageRequest())

    async def fail(_: object) -> None:
        raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")

    provider.behaviour = fail
    with pytest.raises(grpc.aio.AioRpcError):
        await seen.stub.TagImage(request(dog))
    await seen.until(lambda: len(seen.spans(TAG)) == 2)
    callers, servers = seen.spans(TAG)
    assert callers.status.status_code is StatusCode.UNSET
    assert callers.attributes["error.type"] == "INVALID_ARGUMENT"
    assert servers.status.status_code is StatusCode.ERROR
    assert servers.attributes["error.type"] == "UPSTREAM_UNAVAILABLE"
