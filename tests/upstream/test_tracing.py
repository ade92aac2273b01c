"""What the cloud is told of traces, and traces of the cloud."""

import contextlib

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.telemetry.scope import Scope, entered
from gateway.telemetry.tracing import Tracing
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.signer import signed
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.transport import Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def scope(exporter) -> Scope:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Scope("svc/M", "1", tracing=Tracing(provider.get_tracer("test")))


async def sent(raw, outgoing: Outgoing, headers: dict[str, str]) -> dict[str, str]:
    """The headers of the request as the server got it."""
    raw.answers(OK)
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2)) as transport:
        attempt = await transport.send(outgoing, headers)
    assert attempt.error is None
    lines = raw.heads[-1].decode().split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def outgoing(url: str) -> Outgoing:
    return Outgoing("POST", f"{url}/v2/p/x", (("q", "hunter2"),), {"Content-Type": "application/json"}, b"{}")


async def test_a_signed_request_names_its_span_and_its_signature_is_as_without(raw, scope, exporter) -> None:
    request = outgoing(raw.url)
    signature = signed(request, AccessKey("AK", "SK"), 1_700_000_000.0)
    with entered(scope):
        got = await sent(raw, request, signature)
    (span,) = exporter.get_finished_spans()
    assert got["traceparent"].split("-")[1:3] == [f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"]
    assert got["authorization"] == signature["Authorization"]
    assert "traceparent" not in got["authorization"]


async def test_a_span_has_neither_path_nor_query_nor_headers(raw, scope, exporter) -> None:
    with entered(scope):
        await sent(raw, outgoing(raw.url), {"X-Auth-Token": "hunter2"})
    (span,) = exporter.get_finished_spans()
    assert span.attributes == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": raw.port,
        "http.response.status_code": 200,
    }


async def test_without_traces_nothing_is_added(raw) -> None:
    assert "traceparent" not in await sent(raw, outgoing(raw.url), {})
