"""How calls are traced: who makes spans, and how contexts are read from callers and handed on (W3C Trace Context)."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from gateway.errors import GatewayError

CONTEXT_KEYS: Final = ("traceparent", "tracestate")
"""Of metadata and headers."""

_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Tracing:
    """Makes the spans of calls. Those of a call that its caller does not want traced record nothing."""

    def __init__(self, tracer: Tracer, *, propagates: bool = True) -> None:
        """`propagates`: whether the cloud is told which trace a request belongs to."""
        self._tracer = tracer
        self._propagates = propagates

    @contextlib.contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> Iterator[Span]:
        """A span around what is done inside, the child of the current one.

        An exception marks it as failed, by its reason or its type: messages may quote what callers sent.
        """
        with self._tracer.start_as_current_span(
            name, None, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                mark_failed(span, _kind_of(error))
                raise

    def server_span(
        self, name: str, attributes: Mapping[str, AttributeValue], caller: Mapping[str, str], began_at: int | None = None
    ) -> contextlib.AbstractContextManager[Span]:
        """The span of a whole call, in the trace that `caller` names under `CONTEXT_KEYS`; a malformed context counts as none.

        `began_at`: nanoseconds since the epoch; now, unless given. Whoever knows what came of the call marks it as failed.
        """
        return self._tracer.start_as_current_span(
            name,
            _PROPAGATOR.extract(caller, Context()),
            SpanKind.SERVER,
            attributes,
            start_time=began_at,
            record_exception=False,
            set_status_on_exception=False,
        )

    def headers(self) -> dict[str, str]:
        """What tells the cloud of the current span: `traceparent` and perhaps `tracestate`, or nothing.

        They are not to be signed: whatever stands between may rewrite them, as the recommendation says.
        """
        headers: dict[str, str] = {}
        if self._propagates:
            _PROPAGATOR.inject(headers)
        return headers


def mark_failed(span: Span, kind: str) -> None:
    """Mark `span` as failed, `kind` being one of few words."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def _kind_of(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return error.reason.value
    return "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__qualname__
