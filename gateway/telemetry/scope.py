"""Whose call the current task works on, for logs, metrics and traces. Nothing decides by it."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from gateway.telemetry.tracing import Tracing

ItemObserver = Callable[[str, float], None]
"""Told of each item of a stream or batch: `ok` or the reason why it failed, and how many seconds it took."""


@dataclass(slots=True)
class Scope:
    """One call of a face.

    `method`: its full name, without a slash before it. `request_id`: what logs and replies call it. `tenant` and `tenant_class`
    are filled in by whoever finds out who calls; the class is one of few, so that metrics may have it as a label. `reason`: why
    it failed, as docs/errors.md calls it, filled in by whoever ends it. `trace_context`: the caller's `traceparent` and
    `tracestate`, unchecked. `tracing`: None if calls are not traced. `on_item`: told of what `end_item` is. `on_let_in`: told of
    what `let_in` is.
    """

    method: str
    request_id: str
    tenant: str = ""
    tenant_class: str = ""
    reason: str = ""
    trace_context: Mapping[str, str] = field(default_factory=dict)
    tracing: Tracing | None = None
    on_item: ItemObserver | None = None
    on_let_in: Callable[[bool], None] | None = None
    is_known: bool = False
    """Whether the caller is no stranger: its credentials were taken, or nobody is asked for any."""
    items: Counter[str] = field(default_factory=Counter)
    """How many items ended how."""

    def let_in(self, *, known: bool) -> None:
        """The caller has been let in; `known`: whether it is no stranger."""
        self.is_known = known
        if self.on_let_in is not None:
            self.on_let_in(known)

    def end_item(self, outcome: str, seconds: float) -> None:
        """Count an item: `ok`, or a reason."""
        self.items[outcome] += 1
        if self.on_item is not None:
            self.on_item(outcome, seconds)


_CURRENT: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextlib.contextmanager
def entered(scope: Scope) -> Iterator[Scope]:
    """Make `scope` that of what is done inside, tasks begun there included."""
    token = _CURRENT.set(scope)
    try:
        yield scope
    finally:
        _CURRENT.reset(token)


def current_scope() -> Scope | None:
    """That of the call at work here, or none outside calls."""
    return _CURRENT.get()
