"""Where every call comes by: who makes it, in whose name, and whether it may."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Final

from gateway.access.allowance import Allowance, Share
from gateway.access.api_keys import check_times
from gateway.access.authenticator import Authentication
from gateway.access.claim import TENANT_KEY, read_claim
from gateway.access.identity import Identity, RefusedError, Shown
from gateway.access.metrics import AccessMetrics
from gateway.access.operations import Operation
from gateway.access.tenants import Roster, Tenant
from gateway.access.verdicts import ACCEPTED
from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.telemetry.scope import current_scope

_log = logging.getLogger(__name__)

_MOST_IDLE = 4096


class Gate:
    """Lets callers in, for one event loop. What changes in the roster counts from the next call, and the next picture, on."""

    def __init__(
        self,
        authentication: Authentication,
        roster: Callable[[], Roster],
        metrics: AccessMetrics,
        clock: Callable[[], float],
        share: Share | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`roster` gives the one in force. `clock` counts seconds from any instant on, `now` since the epoch. `share`: of the
        limits, what is this process's; all, unless given."""
        self._authentication = authentication
        self.roster: Final = roster
        self.now: Final = now
        self._metrics = metrics
        self._clock = clock
        self._share = share or Share()
        self._allowances: dict[str, Allowance] = {}
        self._prune_at = _MOST_IDLE
        metrics.expect_classes(roster().classes)
        if authentication.is_on:
            metrics.expect_authentications(authentication.kinds)

    @property
    def asks(self) -> bool:
        """Whether callers have to say who they are; if not, they are who they say."""
        return self._authentication.is_on

    async def admit(self, shown: Shown, claims: tuple[str, ...], operation: Operation | None) -> "Caller":
        """Who calls, by the credentials `shown` and what was sent as `TENANT_KEY`, for `operation`, if it is one.

        Raises `GatewayError` with `UNAUTHENTICATED`, with `INVALID_ARGUMENT` for a claim that is not the caller's to make, with
        `PERMISSION_DENIED` for a tenant or an operation that is not allowed.
        """
        identity = await self._identified(shown)
        scope = current_scope()
        if scope is not None:
            scope.let_in(known=bool(identity.kind) or not self.asks)
        name = self._name(identity, read_claim(claims))  # not before: whoever claims what is none may be no stranger
        roster = self.roster()
        tenant = self._tenant(roster, name)
        limits = tenant.limits
        if scope is not None:
            scope.tenant, scope.tenant_class = name, limits.tenant_class
        self._check_operation(tenant, operation)
        return Caller(self, identity, name, operation, roster, _end(identity, roster))

    def note(self, refusal: RefusedError) -> None:
        """Count and log credentials that were refused: here, before they came here, or while a stream went on."""
        self._metrics.authenticated(refusal.kind, refusal.why)
        _log.debug("a call is refused: %s", refusal)

    def check_again(self, identity: Identity, name: str, operation: Operation | None) -> float:
        """Judge a caller that has been let in by what is in force now; gives until when that holds if the roster stays as it is,
        in seconds since the epoch. Raises as `admit`."""
        roster, now = self.roster(), self.now()
        if now >= identity.until:
            raise RefusedError(identity.kind, "expired", "the credentials of the call have expired")
        if identity.key_id:
            key = roster.keys.get(identity.key_id)
            if key is None or key.tenant != identity.tenant:
                raise RefusedError(identity.kind, "withdrawn", "the API key has been withdrawn")
            check_times(key, now)
        names = identity.certificates
        if names and identity.tenant not in {roster.certificates.get(name) for name in names}:
            raise RefusedError(identity.kind, "withdrawn", "the client certificate is not the tenant's any more")
        if identity.subject and roster.tenant_of(identity.subject) != identity.tenant:
            raise RefusedError(identity.kind, "withdrawn", "the token's subject is not the tenant's any more")
        self._check_operation(self._tenant(roster, self._name(identity, name)), operation)
        return _end(identity, roster)

    def allowance(self, name: str) -> Allowance:
        """What the tenant `name` may do now. Raises `GatewayError` if it may not call any more."""
        limits = self.roster().tenant(name).limits
        allowance = self._allowances.get(name)
        if allowance is None:
            if len(self._allowances) >= self._prune_at:  # of tenants that nobody lists there may be any number
                self._allowances = {key: each for key, each in self._allowances.items() if not each.is_idle}
                self._prune_at = max(_MOST_IDLE, 2 * len(self._allowances))  # seldom enough to cost each newcomer little
            allowance = self._allowances[name] = Allowance(limits, self._share, self._metrics, self._clock)
        elif allowance.limits != limits:
            allowance.change(limits)
        return allowance

    async def _identified(self, shown: Shown) -> Identity:
        try:
            identity = await self._authentication.identify(shown)
        except RefusedError as refusal:
            self.note(refusal)
            raise
        self._metrics.authenticated(identity.kind, ACCEPTED)
        return identity

    def _name(self, identity: Identity, claimed: str) -> str:
        if not self.asks:
            return claimed
        if claimed in ("", identity.tenant):
            return identity.tenant
        own = self.roster().tenants.get(identity.tenant)
        if own is not None and own.may_act_for & {claimed, "*"}:
            return claimed
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"the metadata {TENANT_KEY} names another tenant than the call's credentials, which may not act for it; leave it out",
            field=TENANT_KEY,
        )

    def _tenant(self, roster: Roster, name: str) -> Tenant:
        try:
            return roster.tenant(name)
        except GatewayError:
            self._metrics.refused("none", "tenant")
            raise

    def _check_operation(self, tenant: Tenant, operation: Operation | None) -> None:
        limits = tenant.limits
        if operation is None or limits.operations is None or operation in limits.operations:
            return
        if limits.shadow:
            self._metrics.refused_in_shadow(limits.tenant_class, "operation")
            return
        self._metrics.refused(limits.tenant_class, "operation")
        allowed = ", ".join(sorted(limits.operations)) or "none"
        raise GatewayError(
            Reason.PERMISSION_DENIED,
            f"the tenant may not use {operation}; it may use {allowed}",
            measured=operation,
            allowed=allowed,
        )


def _end(identity: Identity, roster: Roster) -> float:
    """When the credentials of a caller end by `roster`, in seconds since the epoch."""
    key = roster.keys.get(identity.key_id)
    return identity.until if key is None or key.expires is None else key.expires.timestamp()


class Caller:
    """Who makes one call, for as long as it goes on: at each picture it is seen to that it still may."""

    def __init__(
        self,
        gate: Gate,
        identity: Identity,
        tenant: str,
        operation: Operation | None,
        judged_by: Roster,
        holds_until: float,
    ) -> None:
        """`tenant`: in whose name the call is. `operation`: for which one, if it is one. `judged_by`: the roster by which it was
        let in. `holds_until`: how long that holds if the roster stays as it is, in seconds since the epoch."""
        self._gate = gate
        self._identity = identity
        self._operation = operation
        self._judged_by = judged_by
        self._holds_until = holds_until
        self._is_noted = False
        self.tenant = tenant

    @property
    def places(self) -> int | None:
        """Pictures at work at once that the tenant is allowed; None for any number."""
        return self._allowance().places

    @contextlib.contextmanager
    def picture(self) -> Iterator[None]:
        """Count a picture at work inside. Raises `GatewayError` with `TENANT_LIMIT_EXCEEDED` if it may not be."""
        with self._allowance().picture():
            yield

    async def turn(self, call: Call) -> Callable[[], None]:
        """Wait, by the deadline of `call`, until one more picture may be at work; what is returned must be called at its end.

        Raises `GatewayError`.
        """
        end = await self._allowance().turn(call)
        try:
            self._judge()  # it may have waited for long
        except GatewayError:
            end()
            raise
        return end

    def _allowance(self) -> Allowance:
        self._judge()
        return self._gate.allowance(self.tenant)

    def _judge(self) -> None:
        roster = self._gate.roster()
        # Most of the time nothing has changed: two comparisons for each picture of a stream.
        if roster is not self._judged_by or self._gate.now() >= self._holds_until:
            self._judge_again()
            self._judged_by = roster

    def _judge_again(self) -> None:
        try:
            self._holds_until = self._gate.check_again(self._identity, self.tenant, self._operation)
        except RefusedError as refusal:
            if not self._is_noted:  # a stream is one call, however many items it has
                self._is_noted = True
                self._gate.note(refusal)
            raise
