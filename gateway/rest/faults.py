"""Faults on purpose, so that clients of the service can be tested: which calls are struck, and by what."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.rest.errors import RestError
from gateway.rest.fault_grammar import Latency, Rule, Strike, parse_rules
from gateway.rest.fault_replies import Sleep, struck
from gateway.rest.fault_settings import FaultSettings
from gateway.rest.settings import RestConfigError

_log = logging.getLogger(__name__)

HEADER: Final = "X-Fault"
"""Faults for one request, in place of those that are configured; `none` for none."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The `number`-th call of an operation, from 0, under a seed. All that is drawn for it follows from these three."""

    seed: int
    operation: str
    number: int

    def draw(self, what: str) -> float:
        """A number from 0 up to and without 1, evenly spread, and independent for each `what`."""
        digest = hashlib.sha256(f"{self.seed}\n{self.operation}\n{self.number}\n{what}".encode()).digest()
        return (int.from_bytes(digest[:8]) >> 11) / 2**53


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a call: its answer is late by `delay` seconds, and `fault` strikes."""

    delay: float = 0.0
    fault: Strike | None = None


def decide(rules: Sequence[Rule], call: Occurrence) -> Fate:
    """Draw for each rule. The latencies that are drawn add up; of the other faults the first one strikes."""
    delay = 0.0
    chosen: Strike | None = None
    for position, rule in enumerate(rules):
        if rule.operations and call.operation not in rule.operations:
            continue
        if call.draw(f"rule {position}") >= rule.probability:
            continue
        if isinstance(rule.fault, Latency):
            delay += rule.fault.low + (rule.fault.high - rule.fault.low) * call.draw(f"latency {position}")
        elif chosen is None:
            chosen = rule.fault
    return Fate(delay, chosen)


def fault_middleware(
    settings: FaultSettings,
    operations: Collection[str],
    operation_of: Callable[[web.Request], str],
    sleep: Sleep = asyncio.sleep,
) -> Middleware:
    """Build the middleware.

    `operations` are the names that rules may hold; `operation_of` tells that of a request, or an empty text where no fault is
    wanted. Calls are counted by operation, in order of arrival. Faults come before anything is checked, and so hit strangers
    as well, who are told nothing but the fault; those that spoil an answer spoil what the caller would have got in any case.
    Raises `RestConfigError` for an operation that does not exist.
    """
    configured = parse_rules(settings.inject)
    for rule in configured:
        for name in sorted(rule.operations - set(operations)):
            raise RestConfigError([f"setting faults.inject names the operation {name!r}; there are {', '.join(operations)}"])
    _log.warning("faults are injected on purpose; no client but those under test should be served here")
    numbers: Counter[str] = Counter()

    @web.middleware
    async def inject(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = operation_of(request)
        if not operation:
            return await handler(request)
        call = Occurrence(settings.seed, operation, numbers[operation])
        numbers[operation] += 1
        rules = _asked_for(request) if settings.header and HEADER in request.headers else configured
        fate = decide(rules, call)
        if fate != Fate():
            _log.info("fault injected into %s, call %d: %.3f s late, %s", operation, call.number, fate.delay, fate.fault)
        if fate.delay:
            await sleep(fate.delay)
        return await (struck(fate.fault, lambda: handler(request), sleep) if fate.fault else handler(request))

    return inject


def _asked_for(request: web.Request) -> tuple[Rule, ...]:
    text = ";".join(request.headers.getall(HEADER))
    if text.strip() == "none":
        return ()
    try:
        rules = parse_rules(text)
    except ValueError as error:
        raise RestError("AIS.0012", f"(header {HEADER}: {error})") from error
    if any(rule.operations for rule in rules):
        raise RestError("AIS.0012", f"(header {HEADER} names an operation; it is for this request only)")
    return rules
