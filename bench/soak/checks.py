"""What must hold after a run, each with what was found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import Reason
from tests.upstream.misbehaving.fault import Fault

from .account import Account
from .ledger import End

MOST_REQUESTS: Final = 1.2
"""For each call."""

MEMORY_GROWTH: Final = 24 << 20
"""Bytes that the process may grow by in the second half of the calls."""

LEAST_SHARE: Final = 0.8
"""Of an equal share of the answers, that each tenant must get though one asks for far more."""

LEAST_STRUCK: Final = 0.1
"""Of the requests."""

_REVOCATIONS: Final = (Fault.TOKEN_REVOKED, Fault.TOKEN_ABNORMAL)


_CLOSINGS: Final = (
    Fault.IDLE_CLOSED,
    Fault.CLOSED_ON_REUSE,
    Fault.RESET_ON_REUSE,
    Fault.RESET_BEFORE_BODY,
    Fault.RESET_AFTER_BODY,
    Fault.CLOSE_AFTER_BODY,
    Fault.EARLY_REFUSAL,
)
"""What looks to a client like a connection that was closed before its request came; the server does no work then."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    found: str
    wanted: str
    holds: bool


Group = Callable[[Account], Iterator[Check]]
"""Checks of one kind."""


def checks(account: Account, groups: Iterable[Group]) -> list[Check]:
    """Those of `groups`, in their order."""
    return [check for group in groups for check in group(account)]


def none(name: str, found: int) -> Check:
    """That nothing of the kind was found."""
    return Check(name, f"{found:,}", "0", found == 0)


def callers(account: Account) -> Iterator[Check]:
    """Every call has an end of its own."""
    ledger = account.ledger
    once = sum(times == 1 for times in ledger.ended)
    yield Check("calls that ended exactly once", f"{once:,}", f"{account.calls:,}", once == account.calls)
    yield none("answers to another call", ledger.count(End.MISTAKEN))
    yield none(f"errors without a type {dict(ledger.untyped) or ''}".rstrip(), ledger.count(End.UNTYPED))
    yield none("errors that are the gateway's own fault", ledger.reasons[Reason.INTERNAL])


def answers(account: Account) -> Iterator[Check]:
    """Most calls come to something."""
    answered = account.ledger.count(End.ANSWERED)
    yield Check("calls answered", f"{answered / account.calls:.1%}", "at least 80 %", answered >= 0.8 * account.calls)


def agreement(account: Account) -> Iterator[Check]:
    """Callers and server tell the same of each call."""
    ledger, books, marker = account.ledger, account.books, account.questions.marker
    lost = sum(books.answered[marker(number)] > 0 for number in ledger.numbers(End.REFUSED))
    yield none("calls refused to the caller though the server had answered", lost)
    given_up = {marker(number) for number in ledger.numbers(End.GIVEN_UP)}
    twice = sum(times > 1 and name not in given_up for name, times in books.answered.items())
    yield none("calls made again though the server had answered", twice)
    unpaid = sum(books.answered[marker(number)] != 1 for number in ledger.numbers(End.ANSWERED))
    yield none("calls answered to the caller and not by the server, once", unpaid)
    ended = ledger.numbers(End.ANSWERED) + ledger.numbers(End.REFUSED)
    hidden = sum(books.received[marker(number)] > ledger.attempts[number] for number in ended)
    yield none("calls with more requests at the server than the client says", hidden)
    yield none("requests that the server did not understand", len(books.stray))


def costs(account: Account) -> Iterator[Check]:
    """No request costs anything that the client does not know of."""
    bill, billed = account.bill, account.books.billed.total()
    within = bill.surely <= billed <= bill.surely + bill.maybe
    counted = f"{bill.surely:,} to {bill.surely + bill.maybe:,}"
    yield Check("calls billed by the server, and counted by the client", f"{billed:,}", counted, within)
    arrived = account.books.received.total()
    yield Check("requests that arrived", f"{arrived:,}", f"at most {bill.requests:,}", arrived <= bill.requests)
    most = 1 + sum(account.books.faults[fault] for fault in _REVOCATIONS)
    yield Check("sign-ins", f"{account.books.sign_ins}", f"at most {most}", account.books.sign_ins <= most)


def repetition(account: Account) -> Iterator[Check]:
    """Requests are made again where that is not paid twice, and then not often."""
    ratio = account.bill.requests / max(1, account.ledger.asked)
    yield Check("requests for each call that had any", f"{ratio:.3f}", f"at most {MOST_REQUESTS}", ratio <= MOST_REQUESTS)
    books = account.books
    yield none("calls whose work was done more than once", sum(times > 1 for times in (books.billed - books.denied).values()))
    closed = sum(books.faults[fault] for fault in _CLOSINGS) + 2 * account.concurrency  # those that an outage ends
    stale = account.bill.stale
    yield Check("requests that met a closed connection", f"{stale:,}", f"at most {closed:,}", stale <= closed)


def struck(account: Account) -> Iterator[Check]:
    """There was something to withstand."""
    share = account.books.faults.total() / max(1, account.bill.requests)
    yield Check("requests that the server struck", f"{share:.1%}", f"at least {LEAST_STRUCK:.0%}", share >= LEAST_STRUCK)


def limits(account: Account) -> Iterator[Check]:
    """The account's places are all used, and shared fairly."""
    most, limit = account.books.most_under_way, account.concurrency
    yield Check("requests at once, at the server", f"{most}", f"{limit // 2} to {limit}", limit // 2 <= most <= limit)
    shares = account.shares
    least = min(shares.values(), default=0) * len(shares) / max(1, shares.total())
    yield Check(
        "answers to the least served tenant, of an equal share", f"{least:.2f}", f"at least {LEAST_SHARE}", least >= LEAST_SHARE
    )


def leaks(account: Account) -> Iterator[Check]:
    """Nothing is left over."""
    yield none("tasks left over", account.after.tasks - account.before.tasks)
    yield none("files and sockets left open", account.after.files - account.before.files)
    yield none("connections that the server still has", account.books.open_connections)
    growth = account.after.memory - account.warm.memory
    yield Check("growth of memory, MiB", f"{growth / 2**20:.1f}", f"at most {MEMORY_GROWTH >> 20}", growth <= MEMORY_GROWTH)


STORMY: Final[tuple[Group, ...]] = (struck, callers, answers, agreement, costs, repetition, limits, leaks)
"""What must hold of a run in which everything happens."""
