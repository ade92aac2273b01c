"""The span of one call, begun once its caller has been let in: only then is it known whether its wish for a trace counts."""

import contextlib
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from opentelemetry.trace import INVALID_SPAN, Span
from opentelemetry.util.types import AttributeValue

from gateway.telemetry.tracing import Tracing


class CallSpan:
    """Lasts from when this was made to when it is left, whenever it is begun, and is none unless it is. To be begun and left in
    the call's own task."""

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
        self._has_begun = False
        self.span: Span = INVALID_SPAN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.close()

    def begin(self, *, follows: bool) -> None:
        """Make it the current span, unless it has begun. `follows`: whether it is part of the caller's trace, and traced if that
        is; if not, it begins a trace of its own, of which the share of the settings is traced."""
        if self._has_begun or self._tracing is None:
            return
        self._has_begun = True
        sent = self._caller if follows else {}
        begun = self._tracing.server_span(self._name, self._attributes, sent, self._began_at)
        self.span = self._held.enter_context(begun)
