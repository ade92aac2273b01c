"""The span of one call, begun once it is known whether its caller's wish to have it traced counts."""

import contextlib
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from gateway.telemetry.tracing import Tracing


class CallSpan:
    """Lasts from when this was made to when it is left, whenever it is begun. To be begun and left in the call's own task."""

    def __init__(
        self,
        tracing: Tracing | None,
        name: str,
        attributes: Mapping[str, AttributeValue],
        caller: Mapping[str, str],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`tracing`: None if the call is not traced. `caller`: the context that it sent, unchecked. `clock` returns nanoseconds
        since the epoch."""
        self._tracing = tracing
        self._name = name
        self._attributes = attributes
        self._caller = caller
        self._began_at = 0 if tracing is None else clock()
        self._held = contextlib.ExitStack()
        self._span: Span | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.close()

    def begin(self, *, follows: bool) -> Span:
        """Make it the current span, unless it has begun. `follows`: whether it is part of the caller's trace, and traced if that
        is; if not, it begins a trace of its own, of which the share of the settings is traced."""
        if self._span is None:
            self._span = INVALID_SPAN
            if self._tracing is not None:
                sent = self._caller if follows else {}
                begun = self._tracing.server_span(self._name, self._attributes, sent, self._began_at)
                self._span = self._held.enter_context(begun)
        return self._span
