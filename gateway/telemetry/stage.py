"""The stages of a call, each a span of its trace."""

import contextlib
from collections.abc import Mapping
from typing import Final

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind
from opentelemetry.util.types import AttributeValue

from gateway.telemetry.scope import current_scope

_UNTRACED: Final = contextlib.nullcontext(INVALID_SPAN)


def stage(
    name: str, attributes: Mapping[str, AttributeValue] | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> contextlib.AbstractContextManager[Span]:
    """A span around what is done inside. Costs next to nothing where calls are not traced.

    `attributes` hold nothing secret, no URL, and nothing of a picture.
    """
    scope = current_scope()
    if scope is None or scope.tracing is None:
        return _UNTRACED
    return scope.tracing.span(name, kind=kind, attributes=attributes)


def trace_headers() -> dict[str, str]:
    """What tells the cloud which trace its request belongs to; nothing where calls are not traced."""
    scope = current_scope()
    return {} if scope is None or scope.tracing is None else scope.tracing.headers()
