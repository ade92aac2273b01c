"""Who may call what: a token or a signature, for a project that is the caller's, within the quotas."""

import asyncio
import contextlib
import difflib
import secrets
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.rest.accounts import Accounts, Project, User
from gateway.rest.errors import RestError
from gateway.rest.iam import Iam
from gateway.rest.quota import Quota, Quotas
from gateway.rest.replay import ReplayError, Replays
from gateway.rest.session import TokenError
from gateway.rest.settings import RestConfigError, RestSettings
from gateway.rest.verify import MAX_SKEW, Signature, SignatureError, SignedRequest, read_signature, verify
from gateway.telemetry.scope import current_scope

_INLINE_BYTES: Final = 256 << 10
"""Longest body that is hashed on the event loop; the hand-over to a thread costs more than that."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    user: User
    projects: tuple[Project, ...]
    """Those within reach of the token or the key, the disabled ones too."""
    project: Project | None
    """The one that the request is for: the token's, or the one that a signed request names; None if there is neither."""
    by_token: bool
    body_signed: bool
    """False for a token, and for the signature of an upload, which does not cover the body."""


class Access:
    """Checks the credentials of requests, and lets calls in."""

    def __init__(
        self, settings: RestSettings, iam: Iam, clock: Callable[[], float], operations: Collection[str] | None = None
    ) -> None:
        """`operations` are the names that quotas may hold; unless given, any. Raises `RestConfigError` for another."""
        self._iam = iam
        self._clock = clock
        self._quotas = Quotas(clock)
        self._replays = Replays(clock, MAX_SKEW, settings.replay_grace) if settings.refuse_replays else None
        # Takes the place of an unknown key's SK, so that the time taken tells nothing about keys.
        self._decoy = secrets.token_hex(20)
        if operations is not None:
            _check_operations(iam.accounts, operations)

    async def caller(self, request: web.Request) -> Caller:
        """Say who sent a request to the identity service. Raises `RestError`: `APIG.0301`, `AIS.0002`, `AIP.0003`."""
        caller, signature = await self._authenticated(request)
        wanted = request.headers.get("X-Project-Id")
        if wanted and wanted not in [project.id for project in caller.projects]:
            raise RestError("AIP.0003")
        self._remember(caller, signature)
        return caller

    @contextlib.asynccontextmanager
    async def admit(self, request: web.Request, operation: str) -> AsyncIterator[Caller]:
        """Let a call of `operation` in, for the project that the path names or, without one there, the caller's.

        The context spans the call: it counts among those at once, and, unless it ends in an exception, among the month's.
        The body of a signed request is read, by `request.read()`; only that gives it from then on.

        Raises `RestError`: `APIG.0301`, `AIS.0002` for credentials; `AIS.0026`, `AIP.0003`, `AIS.0010` for the project;
        `AIS.0027`, `AIS.0004`, `AIS.0007`, `AIS.0032`, `APIG.0308` for quotas.
        """
        caller, signature = await self._authenticated(request)
        project = _project_of(request, caller)
        # No other call runs between the check, the count and the memory of it: nothing is awaited here. A call that a quota
        # refuses leaves no trace: clients send it again as it is, signature and all.
        holders = [(f"user {caller.user.id}", caller.user.quota), (f"project {project.id}", project.quota)]
        with self._quotas.admit(operation, holders):
            self._remember(caller, signature)
            yield Caller(caller.user, caller.projects, project, caller.by_token, caller.body_signed)

    async def _authenticated(self, request: web.Request) -> tuple[Caller, Signature | None]:
        token = request.headers.get("X-Auth-Token")
        if token:
            caller = self._of_token(token)
            _let_in()
            return caller, None
        if "Authorization" not in request.headers:
            raise RestError("APIG.0301", "(neither X-Auth-Token nor Authorization was sent)")
        try:
            caller, signature = await self._of_signature(request)
            if self._replays is not None:
                self._replays.check(caller.user.id, signature.value, signature.signed_at)
        except (SignatureError, ReplayError) as error:
            raise RestError("APIG.0301", f"({error})") from error
        _let_in()
        wanted = request.headers.get("X-Domain-Id")
        if wanted and wanted != caller.user.domain.id:
            raise RestError("AIP.0003", "(X-Domain-Id is not the caller's account)")
        return caller, signature

    def _of_token(self, token: str) -> Caller:
        try:
            session = self._iam.session(token)
        except TokenError as error:
            raise RestError("AIS.0002" if error.abnormal else "APIG.0301", f"({error})") from error
        return Caller(session.user, session.user.projects, session.project, by_token=True, body_signed=False)

    async def _of_signature(self, request: web.Request) -> tuple[Caller, Signature]:
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        # Whoever cannot even be right is told before the body is read.
        signature = read_signature(headers, self._clock())
        body = await request.read()
        security_token = request.headers.get("X-Security-Token")
        key = self._iam.access_key(signature.access_key, security_token)
        signed = SignedRequest(request.method, request.raw_path, headers, body)
        secret = key.secret_key if key is not None else self._decoy
        # Hashing a large body takes milliseconds, without the GIL.
        if len(body) <= _INLINE_BYTES:
            body_signed = verify(signed, signature, secret)
        else:
            body_signed = await asyncio.to_thread(verify, signed, signature, secret)
        if key is None or not key.usable(security_token, self._clock()):
            msg = "the access key is disabled, has expired, or X-Security-Token is not its own"
            raise SignatureError(msg)
        return Caller(key.user, key.projects, None, by_token=False, body_signed=body_signed), signature

    def _remember(self, caller: Caller, signature: Signature | None) -> None:
        if signature is not None and self._replays is not None:
            self._replays.remember(caller.user.id, signature.value, signature.signed_at)


def _let_in() -> None:
    if (scope := current_scope()) is not None:
        scope.let_in(known=True)


def _project_of(request: web.Request, caller: Caller) -> Project:
    """The project that a call is for. Raises `RestError`."""
    named = [name for name in (request.match_info.get("project_id"), request.headers.get("X-Project-Id")) if name]
    if caller.by_token:
        if caller.project is None:
            raise RestError("AIS.0026")
        reachable = [caller.project]
    else:
        reachable = [project for project in caller.projects if project.enabled]
    if not named and len(reachable) > 1:
        raise RestError("AIS.0010", "(X-Project-Id, which says for which of the caller's projects the call is)")
    found = [project for project in reachable if all(project.id == name for name in named)]
    if not found:
        raise RestError("AIP.0003")
    return found[0]


def _check_operations(accounts: Accounts, operations: Collection[str]) -> None:
    quotas: dict[str, Quota] = {}
    for user in accounts.users:
        quotas[f"user {user.name} of domain {user.domain.name}"] = user.quota
        quotas |= {f"project {project.name} of domain {project.domain.name}": project.quota for project in user.projects}
    problems = []
    for place, quota in quotas.items():
        for name in sorted((quota.subscribed or frozenset()) | quota.not_enabled):
            if name not in operations:
                near = difflib.get_close_matches(name, operations, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(operations))}"
                problems.append(f"accounts_file: the quota of {place} names the operation {name}, which there is not{hint}")
    if problems:
        raise RestConfigError(problems)
