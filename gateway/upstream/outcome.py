"""What became of one attempt, in the terms that retrying, limits and costs are decided by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.errors import GatewayError
from gateway.upstream.reply import HttpReply


class Billed(StrEnum):
    """Whether an attempt costs money: the vendor bills the calls that succeed."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCESS = "success"
    REFUSED = "refused"
    """The service says no, and would again: of the request, the picture, or what the account may do."""
    UNAUTHENTICATED = "unauthenticated"
    """The service does not take the credentials."""
    THROTTLED = "throttled"
    FAILED = "failed"
    """The service could not: a 5xx status, or a code of its own machinery."""
    NOT_SENT = "not_sent"
    """There was no connection, or the request was refused here, before anything was sent."""
    STALE = "stale"
    """A kept connection was closed as it was used again; not one byte of a reply came."""
    LOST = "lost"
    """The request went out, its reply never came whole: in time, or before the connection broke."""
    MALFORMED = "malformed"
    """A reply that the contract does not have: a web page, a redirect, a body over the limit."""

    @property
    def billed(self) -> Billed:
        """Whether an attempt that ended so costs money; `Attempt.billed` knows more."""
        if self is Outcome.SUCCESS:
            return Billed.YES
        return Billed.MAYBE if self in _UNCERTAIN else Billed.NO


_UNCERTAIN: Final = frozenset({Outcome.STALE, Outcome.LOST, Outcome.MALFORMED})

_STATUSES_OF_GATEWAYS: Final = frozenset({502, 504})
"""What a proxy says when the server behind it did not answer properly, or in time: it may have worked all the same."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it.

    `reply` is None unless it came whole. `error` is set unless the outcome is `SUCCESS`. `retry_after`: seconds that the service
    asks to wait, 0 to 86 400.
    """

    outcome: Outcome
    reply: HttpReply | None = None
    error: GatewayError | None = None
    retry_after: float | None = None

    @property
    def billed(self) -> Billed:
        """Whether it costs money."""
        if self.outcome is Outcome.FAILED and self.reply is not None and self.reply.status in _STATUSES_OF_GATEWAYS:
            return Billed.MAYBE
        return self.outcome.billed
