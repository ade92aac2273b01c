"""The credential that is a token, got by password and kept for as long as it serves."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.protocol import Holding
from gateway.upstream.credentials.refusals import Refusals
from gateway.upstream.credentials.renewed import Renewed
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_store import SharedTokens, TokenStore
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply

_refused_here: Final[ContextVar[Token | None]] = ContextVar("_refused_here", default=None)
"""The token that this task's call has just found refused: it waits for another one, while other calls go on with that one."""


class PasswordCredential:
    """Calls by token. The token says which project it is for.

    A refused token serves on until there is a new one, since others may do well with it.
    """

    def __init__(self, sign_in: Callable[[], Awaitable[Token]], clock: CloudClock, store: TokenStore | None = None) -> None:
        """`sign_in` gets a new token or raises `GatewayError`. Tokens are shared with other replicas through `store`, if there is
        one."""
        self._sign_in = sign_in
        self._refusals = Refusals(clock)
        self._shared = SharedTokens(store, self._fetch, clock) if store is not None else None
        self._tokens = Renewed("token", self._shared.fetch if self._shared else self._fetch, clock)

    async def grant(self) -> "TokenGrant":
        """A grant by the current token; by another one, if the calling task has just found that one refused, and was told to try
        again. Raises `GatewayError`."""
        refused = _refused_here.get()
        _refused_here.set(None)
        token = await (self._tokens.get() if refused is None else self._tokens.another(refused))
        return TokenGrant(token, self)

    async def check(self) -> None:
        """Raise `GatewayError` if no token is to be had. Whether the service takes it shows in calls."""
        await self._tokens.get()

    def holding(self) -> Holding:
        """The token, and the sign-ins, or looks into the store, that brought one."""
        return self._tokens.holding()

    async def aclose(self) -> None:
        """Stop a sign-in that is under way."""
        await self._tokens.aclose()

    def accept(self, token: Token) -> None:
        """Note that the service took `token`."""
        if self._tokens.value is token:
            self._refusals.accept(token)

    def reject(self, token: Token) -> bool:
        """Have `token`, which the service refused, replaced, if that may help; returns whether it does not serve any more."""
        if self._tokens.value is token:
            if self._shared is not None:
                self._shared.refuse(token)
            if not self._refusals.refuse(token):
                return False
            self._tokens.renew()
        _refused_here.set(token)
        return True

    async def _fetch(self) -> Token:
        token = await self._sign_in()
        self._refusals.replace(self._tokens.value, token)
        return token


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """One attempt by token."""

    token: Token
    credential: PasswordCredential

    @property
    def project_id(self) -> str:
        """The project that the token is for."""
        return self.token.project_id

    def headers(self, outgoing: Outgoing) -> Mapping[str, str]:  # noqa: ARG002  # the protocol's: a token is for any request
        """The token's header."""
        return {"X-Auth-Token": self.token.value}

    def accepted(self) -> None:
        """The token is good for this operation at least."""
        self.credential.accept(self.token)

    def refused(self, refusal: GatewayError, reply: HttpReply) -> bool:  # noqa: ARG002  # the protocol's
        """Tokens die early, after a change of password for example: another one helps, unless the last ones did not."""
        return self.credential.reject(self.token)
