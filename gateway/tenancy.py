"""Opening what decides who may call, and keeping it up to date."""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import grpc
from prometheus_client import CollectorRegistry

from gateway.access.allowance import Share
from gateway.access.api_keys import ApiKeyAuthenticator
from gateway.access.authenticator import Authentication, Authenticator
from gateway.access.budgets import Budgets
from gateway.access.certificates import CertificateAuthenticator
from gateway.access.gate import Gate
from gateway.access.ledgers import Ledger, MemoryLedger, RedisLedger
from gateway.access.metrics import AccessMetrics
from gateway.access.settings import is_loopback
from gateway.access.tenants import EMPTY, Roster
from gateway.access.tenants_file import TenantsFileError, load_roster
from gateway.config import ConfigError, GatewaySettings
from gateway.redis_store import RedisStore
from gateway.reloaded import Reloaded
from gateway.rpc.tls import load_served, server_credentials, tls_files
from gateway.settings import split_address
from gateway.tls.pair import CertificateError
from gateway.upstream.spending import Spending

Fetch = Callable[[str], Awaitable[bytes]]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Who may call, what they may spend, and what this gateway proves itself by.

    `reload` reads the tenants, the issuer's keys and the certificate anew; what cannot be used is logged and counted, and changes
    nothing.
    """

    gate: Gate
    spending: Spending
    credentials: grpc.ServerCredentials | None
    reload: Callable[[], Awaitable[None]]


def check_exposure(settings: GatewaySettings) -> None:
    """Raise `ConfigError` if strangers could call, unless the settings say that they may."""
    host, _ = split_address(settings.listen)
    access = settings.access
    if not (access.kinds or access.allow_anonymous or is_loopback(host)):
        msg = (
            f"setting listen is {settings.listen!r}, where not only this machine can call, and nobody is asked who they are: set "
            "access.authenticators (docs/access.md) or, if everybody may call, access.allow_anonymous = true"
        )
        raise ConfigError([msg])
    if "certificate" in access.kinds and settings.rpc.tls_client_auth != "require":
        raise ConfigError(["setting access.authenticators names certificate; it needs rpc.tls_client_auth = 'require'"])


@contextlib.asynccontextmanager
async def opened_tenancy(
    settings: GatewaySettings, registry: CollectorRegistry, fetch: Fetch, *, worker: int = 0
) -> AsyncIterator[Tenancy]:
    """What the settings say, kept up to date. Metrics go to `registry`.

    `fetch` gets what is behind a URL, bounded in time and size. `worker`: which one of `rpc.workers` this process is, from 0.
    Raises `ConfigError`.
    """
    check_exposure(settings)
    access = settings.access
    metrics = AccessMetrics(registry)
    async with contextlib.AsyncExitStack() as stack:
        opening = _Opening(settings, metrics, stack)
        roster = opening.roster()
        credentials = opening.credentials()
        authenticators = [await opening.authenticator(kind, roster, fetch) for kind in access.kinds]
        authentication = Authentication(authenticators, allow_anonymous=access.allow_anonymous)
        gate = Gate(authentication, roster, metrics, time.monotonic, Share(worker, settings.rpc.workers))
        ledger = await stack.enter_async_context(_opened_ledger(settings))
        budgets = await stack.enter_async_context(contextlib.aclosing(Budgets(roster, ledger, metrics, time.time)))
        yield Tenancy(gate, budgets, credentials, opening.reload)


class _Opening:
    """Opens parts, and knows how all of them are read anew and closed."""

    def __init__(self, settings: GatewaySettings, metrics: AccessMetrics, stack: contextlib.AsyncExitStack) -> None:
        self._settings = settings
        self._metrics = metrics
        self._stack = stack
        self._reloads: list[Callable[[], Awaitable[object]]] = []

    async def reload(self) -> None:
        """Read everything anew."""
        for each in self._reloads:
            await each()

    def roster(self) -> Callable[[], Roster]:
        file, budgets = self._settings.access.tenants_file, self._settings.access.budget_store
        if file is None:
            return lambda: EMPTY
        alone = self._settings.rpc.workers == 1 or budgets == "redis"
        try:
            kept = self._reloaded(
                "access.tenants_file",
                "tenants",
                [file],
                lambda: load_roster(file, counts_alone=alone),
                lambda roster: self._metrics.expect_classes(roster.classes),
            )
        except TenantsFileError as error:
            raise ConfigError([f"settings of access: {problem}" for problem in error.problems]) from None
        return lambda: kept.current

    def credentials(self) -> grpc.ServerCredentials | None:
        rpc = self._settings.rpc
        files = tls_files(rpc)
        if not files:
            return None
        try:
            kept = self._reloaded("rpc.tls_certificate", "certificate", files, lambda: load_served(rpc))
        except CertificateError as error:
            raise ConfigError([f"settings of rpc: {error}"]) from None
        self._metrics.show_expiry(lambda: kept.current.expires)
        return server_credentials(lambda: kept.current, rpc)

    async def authenticator(self, kind: str, roster: Callable[[], Roster], fetch: Fetch) -> Authenticator:
        if kind == "api_key":
            return ApiKeyAuthenticator(roster, time.time)
        if kind == "certificate":
            return CertificateAuthenticator(roster)
        # Only where it is used: the library takes long to import.
        from gateway.access.token_factory import opened_tokens  # noqa: PLC0415

        try:
            tokens = await opened_tokens(self._settings.access, roster, fetch, self._metrics.reload_of("jwt_keys"))
        except ValueError as error:
            raise ConfigError([f"settings of access: jwt_keys {error}"]) from None
        self._stack.push_async_callback(tokens.aclose)
        self._reloads.append(tokens.reload)
        return tokens

    def _reloaded(
        self,
        what: str,
        label: str,
        files: Sequence[Path],
        load: Callable[[], _T],
        renewed: Callable[[_T], None] = lambda _: None,
    ) -> Reloaded[_T]:
        """What `load` makes of files, watched from now on. `what` is said in logs, `label` in metrics; `renewed` is told of what
        is made anew."""
        count = self._metrics.reload_of(label)

        def observed(succeeded: bool) -> None:  # the only thing that it is told
            count(succeeded)
            if succeeded:
                renewed(kept.current)

        kept = Reloaded(what, files, load, interval=self._settings.access.reload_interval, observer=observed)
        kept.start()
        self._stack.push_async_callback(kept.aclose)
        self._reloads.append(kept.reload)
        return kept


@contextlib.asynccontextmanager
async def _opened_ledger(settings: GatewaySettings) -> AsyncIterator[Ledger]:
    if settings.access.budget_store == "memory":
        yield MemoryLedger()
        return
    try:
        redis = RedisStore(settings.redis)
    except ValueError as error:
        raise ConfigError([f"settings of redis: {error}"]) from error
    try:
        yield RedisLedger(redis, counts_here=settings.access.budget_without_redis == "count_here")
    finally:
        await redis.aclose()
