"""What must hold after a run, each with what was found."""

from collections.abc import Callable, Iterator
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


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    found: str
    wanted: str
    holds: bool


def checks(account: Account) -> list[Check]:
    """All of them, in the order of the report."""
    return [check for group in _GROUPS for check in group(account)]


def _none(name: str, found: int) -> Check:
    return Check(name, f"{found:,}", "0", found == 0)


def _callers(account: Account) -> Iterator[Check]:
    ledger = account.ledger
    once = sum(times == 1 for times in ledger.ended)
    yield Check("calls that ended exactly once", f"{once:,}", f"{account.calls:,}", once == account.calls)
    yield _none("answers to another call", ledger.count(End.MISTAKEN))
    yield _none(f"errors without a type {dict(ledger.untyped) or ''}".rstrip(), ledger.count(End.UNTYPED))
    yield _none("errors that are the gateway's own fault", ledger.reasons[Reason.INTERNAL])
    answered = ledger.count(End.ANSWERED)
    yield Check("calls answered", f"{answered / account.calls:.1%}", "at least 80 %", answered >= 0.8 * account.calls)


def _books(account: Account) -> Iterator[Check]:
    ledger, books, marker = account.ledger, account.books, account.questions.marker
    lost = sum(books.answered[marker(number)] > 0 for number in ledger.numbers(End.REFUSED))
    yield _none("calls refused to the caller though the server had answered", lost)
    given_up = {marker(number) for number in ledger.numbers(End.GIVEN_UP)}
    twice = sum(times > 1 and name not in given_up for name, times in books.answered.items())
    yield _none("calls made again though the server had answered", twice)
    unpaid = sum(books.answered[marker(number)] != 1 for number in ledger.numbers(End.ANSWERED))
    yield _none("calls answered to the caller and not by the server, once", unpaid)
    ended = ledger.numbers(End.ANSWERED) + ledger.numbers(End.REFUSED)
    hidden = sum(books.received[marker(number)] > ledger.attempts[number] for number in ended)
    yield _none("calls with more requests at the server than the client says", hidden)
    yield _none("requests that the server did not understand", len(books.stray))


def _cost(account: Account) -> Iterator[Check]:
    bill, billed = account.bill, account.books.billed.total()
    within = bill.surely <= billed <= bill.surely + bill.maybe
    counted = f"{bill.surely:,} to {bill.surely + bill.maybe:,}"
    yield Check("calls billed by the server, and counted by the client", f"{billed:,}", counted, within)
    ratio = bill.requests / max(1, account.ledger.asked)
    yield Check("requests for each call that had any", f"{ratio:.3f}", f"at most {MOST_REQUESTS}", ratio <= MOST_REQUESTS)
    arrived = account.books.received.total()
    yield Check("requests that arrived", f"{arrived:,}", f"at most {bill.requests:,}", arrived <= bill.requests)
    most = 1 + sum(account.books.faults[fault] for fault in _REVOCATIONS)
    yield Check("sign-ins", f"{account.books.sign_ins}", f"at most {most}", account.books.sign_ins <= most)


def _weather(account: Account) -> Iterator[Check]:
    share = account.books.faults.total() / max(1, account.bill.requests)
    yield Check("requests that the server struck", f"{share:.1%}", f"at least {LEAST_STRUCK:.0%}", share >= LEAST_STRUCK)


def _limits(account: Account) -> Iterator[Check]:
    most, limit = account.books.most_under_way, account.concurrency
    yield Check("requests at once, at the server", f"{most}", f"{limit // 2} to {limit}", limit // 2 <= most <= limit)
    shares = account.shares
    least = min(shares.values(), default=0) * len(shares) / max(1, shares.total())
    yield Check(
        "answers to the least served tenant, of an equal share", f"{least:.2f}", f"at least {LEAST_SHARE}", least >= LEAST_SHARE
    )


def _leaks(account: Account) -> Iterator[Check]:
    yield _none("tasks left over", account.after.tasks - account.before.tasks)
    yield _none("files and sockets left open", account.after.files - account.before.files)
    yield _none("connections that the server still has", account.books.open_connections)
    growth = account.after.memory - account.warm.memory
    yield Check("growth of memory, MiB", f"{growth / 2**20:.1f}", f"at most {MEMORY_GROWTH >> 20}", growth <= MEMORY_GROWTH)


_GROUPS: Final[tuple[Callable[[Account], Iterator[Check]], ...]] = (_weather, _callers, _books, _cost, _limits, _leaks)
