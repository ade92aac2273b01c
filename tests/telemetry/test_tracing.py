import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, StatusCode

from gateway.errors import GatewayError, Reason
from gateway.telemetry.scope import Scope, entered
from gateway.telemetry.stage import stage, trace_headers
from gateway.telemetry.tracing import Tracing


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


def test_outside_traced_calls_there_is_nothing() -> None:
    with stage("prepare") as span:
        assert span is INVALID_SPAN
        assert trace_headers() == {}
    with entered(Scope("m", "1")), stage("prepare") as span:
        assert span is INVALID_SPAN


def test_stages_are_children_of_what_they_are_in(tracer, exporter) -> None:
    with entered(Scope("m", "1", tracing=Tracing(tracer))), stage("outer", {"a": 1}), stage("inner"):
        pass
    inner, outer = exporter.get_finished_spans()
    assert inner.parent.span_id == outer.context.span_id
    assert outer.attributes == {"a": 1}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (GatewayError(Reason.UPSTREAM_THROTTLED, "of secret"), "UPSTREAM_THROTTLED"),
        (asyncio.CancelledError(), "cancelled"),
        (ZeroDivisionError("of secret"), "ZeroDivisionError"),
    ],
)
def test_a_failure_is_told_by_its_kind_and_not_by_its_message(tracer, exporter, error, kind) -> None:
    with pytest.raises(type(error)), entered(Scope("m", "1", tracing=Tracing(tracer))), stage("prepare"):
        raise error
    (span,) = exporter.get_finished_spans()
    assert span.attributes["error.type"] == kind
    assert span.status.status_code is StatusCode.ERROR
    assert "secret" not in span.to_json()


@pytest.mark.parametrize("propagates", [True, False])
def test_the_cloud_is_told_of_the_current_span_if_it_is_to_be(tracer, exporter, propagates) -> None:
    with entered(Scope("m", "1", tracing=Tracing(tracer, propagates=propagates))), stage("POST") as span:
        headers = trace_headers()
    context = span.get_span_context()
    told = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert headers == ({"traceparent": told} if propagates else {})
