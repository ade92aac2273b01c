"""What every call passes first: it gets a scope and a name, and is counted, timed, traced and logged by how it ends."""

import asyncio
import inspect
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import grpc
from grpc import aio
from opentelemetry.trace import Span

from gateway.rpc.answer import Context, outcome_of
from gateway.rpc.call_log import CallLog
from gateway.rpc.metrics import RpcMetrics
from gateway.rpc.observed_context import REQUEST_ID_KEY, ObservedContext
from gateway.rpc.own_services import is_of_grpc
from gateway.telemetry.call_span import CallSpan
from gateway.telemetry.scope import Scope, entered
from gateway.telemetry.tracing import CONTEXT_KEYS, Tracing, mark_failed

UNKNOWN_METHOD: Final = "unknown"
"""What methods are called that the server does not have: anybody may make up more of them."""

_SANE_ID: Final = re.compile(r"[!-~]{1,128}")

_WANTED: Final = frozenset({REQUEST_ID_KEY, *CONTEXT_KEYS})

_SERVER_FAULTS: Final = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""With which a server's span counts as failed (OpenTelemetry's conventions for gRPC)."""

_Behaviour = Callable[[Any, Any], Any]
_KINDS: Final = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Observation(aio.ServerInterceptor):
    """The outermost interceptor: what comes behind it runs inside the call's `Scope`."""

    def __init__(self, metrics: RpcMetrics, log: CallLog, tracing: Tracing | None = None) -> None:
        """`tracing`: None if calls are not traced."""
        self._metrics = metrics
        self._log = log
        self._tracing = tracing

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The handler of a call, observed."""
        details: Any = handler_call_details  # the stubs know no method's name as text
        scope = self._scope(details.method.removeprefix("/"), details.invocation_metadata or ())
        with entered(scope):  # for what those behind find out here
            handler: Any = await continuation(handler_call_details)
        if handler is None:
            self._metrics.began(UNKNOWN_METHOD)
            self._metrics.ended(UNKNOWN_METHOD, Scope(UNKNOWN_METHOD, ""), grpc.StatusCode.UNIMPLEMENTED, 0.0)
            return None
        kind = _KINDS[2 * handler.request_streaming + handler.response_streaming]
        behaviour = getattr(handler, kind)
        if not (inspect.iscoroutinefunction(behaviour) or inspect.isasyncgenfunction(behaviour)):
            return cast("grpc.RpcMethodHandler[Any, Any]", handler)  # for gRPC's threads; none of the services here is
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return cast(
            "grpc.RpcMethodHandler[Any, Any]",
            make(self._observed(behaviour, scope), handler.request_deserializer, handler.response_serializer),
        )

    def _scope(self, method: str, metadata: Any) -> Scope:  # noqa: ANN401  # gRPC's: pairs of keys and values
        sent = {key: value for key, value in metadata if key in _WANTED and isinstance(value, str)}
        request_id = sent.pop(REQUEST_ID_KEY, "")
        if not _SANE_ID.fullmatch(request_id):
            request_id = secrets.token_hex(16)
        on_item = partial(self._metrics.item_ended, method)
        return Scope(method, request_id, trace_context=sent, tracing=self._tracing, on_item=on_item)

    def _observed(self, behaviour: _Behaviour, scope: Scope) -> _Behaviour:
        async def observed(request: Any, context: Context) -> Any:  # noqa: ANN401  # of any service
            started_at = time.perf_counter()
            self._metrics.began(scope.method)
            code = grpc.StatusCode.UNKNOWN  # what gRPC makes of an exception
            with entered(scope), self._span(scope) as call_span:
                # Not before, and not at all for those who are not: else strangers would say what is traced, and crowd out the
                # spans of others.
                scope.on_let_in = partial(_begin, call_span)
                try:
                    answer = await outcome_of(behaviour, request, ObservedContext(context, scope.request_id))
                    code = _set_code(context, grpc.StatusCode.OK)
                except aio.AbortError:
                    code = _set_code(context, code)
                    raise
                except asyncio.CancelledError:
                    code = _cancelled(context)
                    raise
                except Exception:
                    code = _set_code(context, code)
                    raise
                else:
                    return answer
                finally:
                    seconds = time.perf_counter() - started_at
                    self._metrics.ended(scope.method, scope, code, seconds)
                    _describe(call_span.span, scope, code)
                    self._log.ended(scope, code, seconds)

        return observed

    def _span(self, scope: Scope) -> CallSpan:
        attributes = {"rpc.system.name": "grpc", "rpc.method": scope.method, "image_gateway.request_id": scope.request_id}
        tracing = None if is_of_grpc(scope.method) else self._tracing
        return CallSpan(tracing, scope.method, attributes, scope.trace_context)


def _begin(span: CallSpan, known: bool) -> None:  # the only thing that it is told
    span.begin(follows=known)


def _set_code(context: Context, otherwise: grpc.StatusCode) -> grpc.StatusCode:
    """What a handler has said, by `abort` or `set_code`; gRPC's number for nothing is 0."""
    code: Any = context.code()
    return code if isinstance(code, grpc.StatusCode) else otherwise


def _cancelled(context: Context) -> grpc.StatusCode:
    """What the caller of a cancelled call has seen: its deadline, if that has passed."""
    remaining: Any = context.time_remaining()  # the stubs know no None
    expired = remaining is not None and remaining <= 0
    return grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED


def _describe(span: Span, scope: Scope, code: grpc.StatusCode) -> None:
    if not span.is_recording():
        return
    span.set_attribute("rpc.response.status_code", code.name)
    if scope.tenant_class:
        span.set_attribute("image_gateway.tenant_class", scope.tenant_class)
    for outcome, count in scope.items.items():
        span.set_attribute(f"image_gateway.items.{outcome}", count)
    if code in _SERVER_FAULTS:
        mark_failed(span, scope.reason or code.name)
    elif scope.reason:
        span.set_attribute("error.type", scope.reason)
