"""What the callers saw: their side of the accounts."""

from collections import Counter
from enum import IntEnum

from gateway.errors import GatewayError, Reason


class End(IntEnum):
    """How a call ended."""

    PENDING = 0
    ANSWERED = 1
    MISTAKEN = 2
    """Answered, by what is not the answer to it."""
    REFUSED = 3
    """By a `GatewayError`."""
    GIVEN_UP = 4
    """Cancelled by the caller, or by the caller's deadline."""
    UNTYPED = 5
    """By any other exception."""


class Ledger:
    """One line for each of `calls` calls, by number: how often it ended, how at last, and after how many attempts."""

    def __init__(self, calls: int) -> None:
        self.ended = bytearray(calls)
        self.ends = bytearray(calls)
        self.attempts = bytearray(calls)
        self.reasons: Counter[str] = Counter()
        self.untyped: Counter[str] = Counter()
        self.tenants: Counter[str] = Counter()

    def record(self, number: int, tenant: str, end: End, attempts: int = 0) -> None:
        """Note the end of call `number`. `attempts` is as the client says; 0 if it does not."""
        self.ended[number] += 1
        self.ends[number] = end
        self.attempts[number] = attempts
        self.tenants[tenant] += end is End.ANSWERED

    def refused(self, number: int, tenant: str, error: GatewayError) -> None:
        """Note that call `number` ended by `error`."""
        self.reasons[error.reason] += 1
        end = End.GIVEN_UP if error.reason is Reason.DEADLINE_EXCEEDED else End.REFUSED
        self.record(number, tenant, end, error.upstream.attempts if error.upstream else 0)

    @property
    def asked(self) -> int:
        """The calls for which there was a request at all."""
        return len(self.attempts) - self.attempts.count(0)

    def count(self, end: End) -> int:
        return self.ends.count(end)

    def numbers(self, end: End) -> list[int]:
        """The calls that ended so."""
        return [number for number, found in enumerate(self.ends) if found == end]
