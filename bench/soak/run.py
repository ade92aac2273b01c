"""One run: a server, a provider, callers; then both sides' accounts."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.provider import Provider
from gateway.upstream.outcome import Outcome
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import BreakerSettings, LimitSettings
from gateway.upstream.settings import CloudSettings
from tests.upstream.misbehaving.service import ACCESS_KEY, PASSWORD, SECRET_KEY

from .account import Account, Bill
from .callers import Callers, Manners, Tenant, tenants_for
from .cloud import Cloud, running_cloud
from .footprint import Footprint
from .ledger import Ledger
from .questions import Questions
from .weather import Weather

Credentials = Literal["token", "keys"]

_SKEW: Final = 3600.0
"""Seconds by which the server's clock is ahead of the signer's, which has to find that out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: `calls`, as `credentials` say.

    `tenants`: who makes them; if there are none, those of `tenants_for`. `distinct`: how many different ones there are; None if
    no two are the same. `timeout`: seconds that the client waits for a reply. `calm`: share of the calls at the beginning that
    meet no fault. `outage`: share of them, at least ten, that are made half way while the port is closed, unless it is 0.
    """

    title: str
    credentials: Credentials
    calls: int
    policies: Policies
    weather: Weather
    manners: Manners = field(default_factory=Manners)
    tenants: tuple[Tenant, ...] = ()
    distinct: int | None = None
    timeout: float = 5.0
    calm: float = 0.0
    outage: float = 0.0

    @property
    def concurrency(self) -> int:
        """Calls at once that the account allows."""
        return self.policies.limit.concurrency


def stormy(credentials: Credentials, calls: int, concurrency: int, weather: Weather) -> Plan:
    """A run in which everything happens.

    It begins with a calm: only while nothing else holds calls up is every place always wanted, so that fair shares are equal.
    """
    return Plan(credentials, credentials, calls, policies_for(concurrency), weather, calm=0.2, outage=0.002)


def settings_for(url: str, credentials: Credentials, timeout: float) -> CloudSettings:
    """Settings of a client that waits for a reply for `timeout` seconds."""
    known = (
        {"user": "ada", "domain": "acme", "password": SecretStr(PASSWORD)}
        if credentials == "token"
        else {"access_key": ACCESS_KEY, "secret_key": SecretStr(SECRET_KEY)}
    )
    return CloudSettings(endpoint=url, iam_endpoint=url, connect_timeout=5, timeout=timeout, **known)


def policies_for(concurrency: int) -> Policies:
    """Policies that recover as quickly as the server does."""
    return Policies(
        limit=LimitSettings(concurrency=concurrency, queue_length=10_000), breaker=BreakerSettings(pause=0.05, max_pause=0.2)
    )


Open = Callable[[CloudSettings, Policies, CollectorRegistry], Provider]


async def soak(plan: Plan, open_provider: Open = CloudProvider) -> Account:
    """Make all calls, and settle up."""
    skew = _SKEW if plan.credentials == "keys" else 0.0
    weather = replace(plan.weather, skew=skew, calm=int(plan.calls * plan.calm))
    questions, ledger = Questions(plan.credentials, plan.distinct), Ledger(plan.calls)
    registry = CollectorRegistry()
    async with running_cloud(weather) as cloud:
        before = Footprint.now()
        provider = open_provider(settings_for(cloud.url, plan.credentials, plan.timeout), plan.policies, registry)
        async with contextlib.aclosing(provider):
            course = _Course(plan, cloud, Callers(provider, questions, ledger, plan.manners, weather.seed))
            started_at = time.perf_counter()
            await course.run()
            seconds = time.perf_counter() - started_at
        await cloud.settle()
        after = Footprint.now()
        books = await cloud.books()
    return Account(
        title=plan.title,
        concurrency=plan.concurrency,
        questions=questions,
        ledger=ledger,
        books=books,
        bill=_bill(registry),
        shares=course.shares,
        before=before,
        warm=course.warm,
        after=after,
        seconds=seconds,
    )


class _Course:
    """The stretches of one run. Measured on the way: `shares`, answers to each tenant while it was calm; `warm`, the footprint
    half way."""

    shares: Counter[str]
    warm: Footprint

    def __init__(self, plan: Plan, cloud: Cloud, callers: Callers) -> None:
        self._plan = plan
        self._cloud = cloud
        self._callers = callers

    async def run(self) -> None:
        """Make all calls, some of them while the port is closed."""
        calls = self._plan.calls
        calm, half = int(calls * self._plan.calm), calls // 2
        self.shares = await self._make(0, calm)
        await self._make(calm, half)
        self.warm = Footprint.now()
        await self._make(await self._outage(half), calls)

    async def _outage(self, start: int) -> int:
        """Make the calls of the outage, from number `start` on. Returns that of the next one."""
        if not self._plan.outage:
            return start
        end = start + max(10, int(self._plan.calls * self._plan.outage))
        await self._cloud.shut()
        await self._make(start, end)
        await self._cloud.open()
        return end

    async def _make(self, start: int, end: int) -> Counter[str]:
        return await self._callers.make(range(start, end), self._plan.tenants or tenants_for(self._plan.concurrency))


def _bill(registry: CollectorRegistry) -> Bill:
    billed, outcomes = Counter[str](), Counter[str]()
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "image_gateway_cloud_attempts_total":
                billed[sample.labels["billed"]] += int(sample.value)
                outcomes[sample.labels["outcome"]] += int(sample.value)
    return Bill(billed.total(), billed["yes"], billed["maybe"], outcomes[Outcome.STALE])
