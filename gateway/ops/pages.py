"""What the operators' port shows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether calls are taken and can be served, and what else there is to say of it."""

    is_ready: bool
    facts: Document


class LevelChange(Protocol):
    """Sets a level of the log, for so many seconds if any are given."""

    def __call__(self, level: str, seconds: float | None) -> Awaitable[Document]: ...


@dataclass(frozen=True, slots=True)
class Pages:
    """Where each page comes from.

    `metrics`: the page and its content type, of the `Accept` header. `level`: that of the log, now. None of them raises.
    """

    metrics: Callable[[str], Awaitable[tuple[bytes, str]]]
    readiness: Callable[[], Awaitable[Readiness]]
    config: Callable[[], Awaitable[Document]]
    level: Callable[[], Document]
    set_level: LevelChange
