"""Whose call the current task works on, for logs, metrics and traces. Nothing decides by it."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Scope:
    """One call of a face.

    `method`: its full name. `request_id`: what logs and replies call it. `tenant` and `tenant_class` are filled in by whoever
    finds out who calls; the class is one of few, so that metrics may have it as a label.
    """

    method: str
    request_id: str
    tenant: str = ""
    tenant_class: str = ""


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
