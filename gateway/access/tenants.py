"""Tenants: those on whose behalf calls are made, what each may do, and by what its callers are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from gateway.access.operations import Operation
from gateway.errors import GatewayError, Reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tenant may do; None stands for no limit. All but `operations` count pictures (recordings, too), not messages."""

    tenant_class: str = "default"
    """One of few, which metrics have as a label."""
    operations: frozenset[Operation] | None = None
    concurrency: int | None = None
    """At work at once."""
    rate: float | None = None
    """Per second, on average."""
    burst: int | None = None
    """At once after a pause; unless given, those of one second, or one."""
    daily_budget: int | None = None
    """Calls to the cloud that may be billed, from midnight to midnight UTC."""
    shadow: bool = False
    """Whether the limits are only judged, and what they would have refused is counted."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant. `may_act_for`: tenants in whose name its callers may call; `*` for all."""

    name: str
    limits: Limits
    may_act_for: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of an API key."""

    tenant: str
    hash: str = field(repr=False)
    not_before: datetime | None = None
    expires: datetime | None = None


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Roster:
    """All tenants, and what their callers are known by."""

    tenants: Mapping[str, Tenant] = field(default_factory=_nothing)
    others: Limits | None = Limits()
    """Those of tenants that are not listed; None: there are no others."""
    keys: Mapping[str, KeyRecord] = field(default_factory=_nothing)
    """By key id."""
    certificates: Mapping[str, str] = field(default_factory=_nothing)
    """Tenants by names of certificates (`dns:front.internal`)."""
    subjects: Mapping[str, str] = field(default_factory=_nothing)
    """Tenants by what tokens call them."""

    @property
    def classes(self) -> frozenset[str]:
        """Those of all tenants that may call."""
        others = () if self.others is None else (self.others.tenant_class,)
        return frozenset((*(tenant.limits.tenant_class for tenant in self.tenants.values()), *others))

    def tenant_of(self, subject: str) -> str:
        """The name of the tenant that a token's `subject` stands for: its own, unless it is listed for one."""
        return self.subjects.get(subject, subject)

    def tenant(self, name: str) -> Tenant:
        """The tenant of that name, listed or not. Raises `GatewayError` with `PERMISSION_DENIED` if it may not call."""
        listed = self.tenants.get(name)
        if listed is not None:
            return listed
        if self.others is None:
            who = "calls without credentials" if not name else "this tenant"
            raise GatewayError(Reason.PERMISSION_DENIED, f"{who} may not call this gateway: not in its list of tenants")
        return Tenant(name, self.others)


EMPTY = Roster()
"""Without a tenants file: everybody may do everything."""
