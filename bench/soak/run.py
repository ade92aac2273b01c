"""One run: a server, a provider, callers; then both sides' accounts."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.provider import Provider
from gateway.upstream.policies import Policies
from gateway.upstream.provider import CloudProvider
from gateway.upstream.resilience.settings import BreakerSettings, LimitSettings
from gateway.upstream.settings import CloudSettings
from tests.upstream.misbehaving.service import ACCESS_KEY, PASSWORD, SECRET_KEY

from .account import Account, Bill
from .callers import Callers, tenants_for
from .cloud import Cloud, running_cloud
from .footprint import Footprint
from .ledger import Ledger
from .questions import Questions
from .weather import Weather

Credentials = Literal["token", "keys"]

_CALM: Final = 0.2
"""Share of the calls at the beginning that meet no fault: only while nothing else holds calls up is every place always wanted, so
that fair shares are equal ones."""

_OUTAGE: Final = 0.002
"""Share of the calls that are made while the port is closed."""

_SKEW: Final = 3600.0
"""Seconds by which the server's clock is ahead of the signer's, which has to find that out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run. `calls` are made as `credentials` say, `concurrency` of them at once."""

    credentials: Credentials
    calls: int
    concurrency: int
    weather: Weather


def settings_for(url: str, credentials: Credentials) -> CloudSettings:
    """Settings of a client that is impatient, so that a soak is short."""
    known = (
        {"user": "ada", "domain": "acme", "password": SecretStr(PASSWORD)}
        if credentials == "token"
        else {"access_key": ACCESS_KEY, "secret_key": SecretStr(SECRET_KEY)}
    )
    return CloudSettings(endpoint=url, iam_endpoint=url, connect_timeout=5, timeout=5, **known)


def policies_for(concurrency: int) -> Policies:
    """Policies that recover as quickly as the server does."""
    return Policies(
        limit=LimitSettings(concurrency=concurrency, queue_length=10_000), breaker=BreakerSettings(pause=0.05, max_pause=0.2)
    )


Open = Callable[[CloudSettings, Policies, CollectorRegistry], Provider]


async def soak(plan: Plan, open_provider: Open = CloudProvider) -> Account:
    """Make all calls, and settle up."""
    skew = _SKEW if plan.credentials == "keys" else 0.0
    weather = replace(plan.weather, skew=skew, calm=int(plan.calls * _CALM))
    questions, ledger = Questions(plan.credentials), Ledger(plan.calls)
    registry = CollectorRegistry()
    async with running_cloud(weather) as cloud:
        before = Footprint.now()
        provider = open_provider(settings_for(cloud.url, plan.credentials), policies_for(plan.concurrency), registry)
        async with contextlib.aclosing(provider):
            course = _Course(plan, cloud, Callers(provider, questions, ledger, weather.seed))
            started_at = time.perf_counter()
            await course.run()
            seconds = time.perf_counter() - started_at
        await cloud.settle()
        after = Footprint.now()
        books = await cloud.books()
    return Account(
        title=plan.credentials,
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
        calm, half = int(calls * _CALM), calls // 2
        outage = half + max(10, int(calls * _OUTAGE))
        self.shares = await self._make(0, calm)
        await self._make(calm, half)
        self.warm = Footprint.now()
        await self._cloud.shut()
        await self._make(half, outage)
        await self._cloud.open()
        await self._make(outage, calls)

    async def _make(self, start: int, end: int) -> Counter[str]:
        return await self._callers.make(range(start, end), tenants_for(self._plan.concurrency))


def _bill(registry: CollectorRegistry) -> Bill:
    counts = Counter[str]()
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == "image_gateway_cloud_attempts_total":
                counts[sample.labels["billed"]] += int(sample.value)
    return Bill(counts.total(), counts["yes"], counts["maybe"])
