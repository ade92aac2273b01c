"""Short runs about one policy each, in conditions that a run in which everything happens does not meet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import Reason
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import BreakerSettings, HedgeSettings, LimitSettings, RetrySettings
from tests.upstream.misbehaving.fault import Fault

from .account import Account
from .callers import Manners, Tenant
from .checks import MOST_REQUESTS, Check, Group, agreement, answers, callers, costs, leaks, none
from .ledger import End
from .questions import KINDS
from .remembering import opened_remembering
from .run import Open, Plan
from .weather import Weather

_CONCURRENCY: Final = 10
_LIMIT: Final = LimitSettings(concurrency=_CONCURRENCY)
_PATIENT: Final = BreakerSettings(enabled=False)
_RETRY: Final = RetrySettings()
_HEDGE: Final = HedgeSettings(after=0.2, share=0.2)
_OPERATIONS: Final = 6
"""That the mixture of calls asks for; each has a breaker of its own."""

_HANGING: Final = 1.2
"""Seconds that callers of a cloud that hangs have: enough for it to be called that, less than the client's own timeout."""

_REPEATED: Final = 10 * KINDS
"""Different calls, of which each is made again and again."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A run, and what must hold of it."""

    plan: Plan
    groups: tuple[Group, ...]
    open_provider: Open = CloudProvider


def drills(calls: int, seed: int) -> tuple[Drill, ...]:
    """All of them; the longest makes so many calls."""
    return (
        Drill(_crowd(calls, seed), (callers, _crowded, agreement, costs, leaks)),
        Drill(_hurry(calls // 4, seed), (callers, _suspended, costs, leaks)),
        Drill(_hedging(calls, seed), (callers, answers, _hedged, costs, leaks)),
        Drill(_repeating(calls, seed), (callers, answers, _remembered, costs, leaks), opened_remembering),
    )


def _crowd(calls: int, seed: int) -> Plan:
    """Far more callers than the queue holds, of a cloud that throttles whatever gets through."""
    policies = Policies(limit=LimitSettings(concurrency=_CONCURRENCY, queue_length=_CONCURRENCY), breaker=_PATIENT, retry=_RETRY)
    weather = Weather(seed, share=1.0, storm_every=0, latency=0.002, weights={Fault.THROTTLED: 1.0})
    return Plan(
        "a short queue before a cloud that throttles",
        "keys",
        calls,
        policies,
        weather,
        Manners(pause=(0.1, 0.1)),
        tenants=(Tenant("ada", 150), Tenant("bob", 150)),
    )


def _crowded(account: Account) -> Iterator[Check]:
    asked, requests = account.ledger.asked, account.bill.requests
    most = int(MOST_REQUESTS * asked) + _RETRY.budget_reserve
    yield Check("requests for the calls that had any", f"{requests:,} for {asked:,}", f"at most {most:,}", requests <= most)
    without = account.calls - asked
    yield Check("calls refused without a request", f"{without / account.calls:.0%}", "at least 50%", without >= account.calls / 2)


def _hurry(calls: int, seed: int) -> Plan:
    """Callers whose deadlines end before the client's patience with a cloud that hangs."""
    weather = Weather(seed, share=1.0, storm_every=0, weights={Fault.HALF_OPEN: 1.0})
    return Plan(
        "deadlines shorter than a cloud takes that hangs",
        "keys",
        calls,
        Policies(limit=_LIMIT, breaker=BreakerSettings()),
        weather,
        Manners(pause=(0.05, 0.05), deadline=_HANGING),
        tenants=(Tenant("ada", 2 * _CONCURRENCY),),
    )


def _suspended(account: Account) -> Iterator[Check]:
    suspended = account.ledger.reasons[Reason.UPSTREAM_SUSPENDED]
    found = f"{suspended / account.calls:.0%}"
    yield Check("calls that were spared the wait", found, "at least 50%", suspended >= account.calls / 2)
    most = _OPERATIONS * (BreakerSettings().failures + _CONCURRENCY)
    requests = account.bill.requests
    yield Check("requests to the cloud that hangs", f"{requests}", f"at most {most}", requests <= most)


def _hedging(calls: int, seed: int) -> Plan:
    """A few requests that hang, and a second one beside each slow one. There are fewer callers than places."""
    weather = Weather(seed, share=0.02, storm_every=0, latency=0.01, weights={Fault.HALF_OPEN: 1.0})
    return Plan(
        "a second request beside a slow one",
        "keys",
        calls,
        Policies(limit=_LIMIT, breaker=_PATIENT, hedge=_HEDGE),
        weather,
        tenants=(Tenant("ada", _CONCURRENCY // 2),),
        timeout=1.0,
    )


def _hedged(account: Account) -> Iterator[Check]:
    hung, late = account.books.faults[Fault.HALF_OPEN], account.ledger.reasons[Reason.UPSTREAM_TIMEOUT]
    yield Check("calls that hung to the end, of those struck", f"{late} of {hung}", "at most half", 0 < hung >= 2 * late)
    again = sum(times > 1 for times in account.books.billed.values())
    most = int(_HEDGE.share * account.bill.requests) + 1
    yield Check("calls whose work was done more than once", f"{again}", f"at most {most}", again <= most)


def _repeating(calls: int, seed: int) -> Plan:
    """The same few calls by many callers at once, through the cache."""
    failing = {Fault.FAILED: 1.0, Fault.RESET_ON_REUSE: 1.0, Fault.CLOSED_ON_REUSE: 1.0}
    return Plan(
        "the same asked again and again",
        "keys",
        calls,
        Policies(limit=_LIMIT, breaker=_PATIENT),
        Weather(seed, share=0.15, storm_every=0, weights=failing),
        Manners(deadline=60.0),  # what a caller who gives up was the last to want is paid for, and not remembered
        distinct=_REPEATED,
    )


def _remembered(account: Account) -> Iterator[Check]:
    yield none("answers that were paid for again", sum(times > 1 for times in account.books.billed.values()))
    most = int(MOST_REQUESTS * _REPEATED) + _RETRY.budget_reserve
    requests = account.bill.requests
    yield Check("requests", f"{requests}", f"at most {most} for {_REPEATED} different calls", requests <= most)
    answered = account.ledger.count(End.ANSWERED)
    yield Check("answers for each request", f"{answered / max(1, requests):.1f}", "over 1", answered > requests)
