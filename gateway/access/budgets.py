"""Daily budgets of calls that may be billed: set aside before a call is made, settled by what it cost."""

import asyncio
from collections.abc import Callable, Iterator

from gateway.access.days import day_of, until_midnight
from gateway.access.ledgers import Ledger
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import Limits, Roster
from gateway.errors import GatewayError, Reason
from gateway.redis_store.store import HOLD
from gateway.upstream.outcome import Billed


class Budgets:
    """The money of all tenants, for one event loop: what the cloud's client asks before it spends."""

    def __init__(self, roster: Callable[[], Roster], ledger: Ledger, metrics: AccessMetrics, clock: Callable[[], float]) -> None:
        """`roster` gives the one in force; `clock` returns seconds since the epoch."""
        self._roster = roster
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self._returns: set[asyncio.Task[None]] = set()
        metrics.show_budgets(lambda: list(self._left()))

    def purse(self, tenant: str) -> "TenantPurse":
        """For one call of `tenant`."""
        return TenantPurse(self, tenant)

    def is_listed(self, tenant: str) -> bool:
        """See `Spending`."""
        return tenant in self._roster().tenants

    async def aclose(self) -> None:
        """Wait until all that is given back has been."""
        await asyncio.gather(*self._returns)

    async def take(self, name: str) -> str | None:
        """Count one call of a tenant; gives the day that it was counted on, None if it is not counted.

        Raises `GatewayError` with `BUDGET_EXHAUSTED` or `BUDGET_UNKNOWN`.
        """
        limits = self._roster().tenant(name).limits
        if limits.daily_budget is None:
            return None
        now = self._clock()
        day = day_of(now)
        taken = await self._ledger.take(name, day, limits.daily_budget)
        if taken:
            return day
        limit = "budget_unknown" if taken is None else "budget"
        if limits.shadow:
            self._metrics.refused_in_shadow(limits.tenant_class, limit)
            return None
        self._metrics.refused(limits.tenant_class, limit)
        if taken is None:
            raise GatewayError(
                Reason.BUDGET_UNKNOWN,
                "what is left of the tenant's daily budget cannot be told now, so the cloud is not called",
                retry_after=HOLD,
            )
        raise GatewayError(
            Reason.BUDGET_EXHAUSTED,
            f"the tenant's {limits.daily_budget} calls to the cloud for today are used up; the next day begins at midnight UTC",
            allowed=f"{limits.daily_budget} calls a day",
            retry_after=until_midnight(now),
        )

    def give_back(self, name: str, day: str) -> None:
        """Count one call less, soon: whoever was cancelled need not wait for it."""
        task = asyncio.create_task(self._ledger.give_back(name, day), name="give back")
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)

    def spent(self, name: str) -> None:
        """Count what was, or may have been, billed."""
        roster = self._roster()
        tenant = roster.tenants.get(name)
        limits = tenant.limits if tenant is not None else roster.others or Limits()  # it may have been removed meanwhile
        self._metrics.billable(limits.tenant_class)

    def _left(self) -> Iterator[tuple[str, str, int]]:
        day = day_of(self._clock())
        for tenant in self._roster().tenants.values():
            budget = tenant.limits.daily_budget
            if budget is not None:
                left = max(0, budget - self._ledger.used(tenant.name, day))
                yield tenant.name, tenant.limits.tenant_class, left


class TenantPurse:
    """The money for one call; see `upstream.spending.Purse`."""

    def __init__(self, budgets: Budgets, tenant: str) -> None:
        self._budgets = budgets
        self._tenant = tenant
        self._unspent: list[str | None] = []  # the days of what is set aside
        self._covering: list[str | None] = []  # of requests under way

    async def reserve(self) -> None:
        """See `Purse`."""
        if not self._unspent:
            self._unspent.append(await self._budgets.take(self._tenant))

    async def cover(self) -> None:
        """See `Purse`."""
        await self.reserve()
        self._covering.append(self._unspent.pop())

    def settle(self, billed: Billed) -> None:
        """See `Purse`. Nothing tells requests under way apart: one is as good as the other."""
        day = self._covering.pop()
        if billed is Billed.NO:
            self._unspent.append(day)
        else:
            self._budgets.spent(self._tenant)

    def close(self) -> None:
        """See `Purse`."""
        for day in self._unspent + self._covering:
            if day is not None:
                self._budgets.give_back(self._tenant, day)
        self._unspent.clear()
        self._covering.clear()
