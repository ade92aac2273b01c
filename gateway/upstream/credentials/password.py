"""The credential that is a token, got by password and kept for as long as it serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.renewed import Renewed
from gateway.upstream.credentials.sign_in import PasswordSignIn
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_store import SharedTokens, TokenStore
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply


class PasswordCredential:
    """Calls by token. The token says which project it is for."""

    kind: Final = "token"

    def __init__(self, sign_in: PasswordSignIn, clock: CloudClock, store: TokenStore | None = None) -> None:
        """Tokens are shared with other replicas through `store`, if there is one."""
        self._shared = SharedTokens(store, sign_in.fetch, clock) if store is not None else None
        self._tokens = Renewed("token", self._shared.fetch if self._shared else sign_in.fetch, clock)

    async def grant(self) -> "TokenGrant":
        """A grant by the current token. Raises `GatewayError`."""
        return TokenGrant(await self._tokens.get(), self)

    async def check(self) -> None:
        """Raise `GatewayError` if no token is to be had."""
        await self._tokens.get()

    async def aclose(self) -> None:
        """Stop a sign-in that is under way."""
        await self._tokens.aclose()

    def accept(self, token: Token) -> None:
        """Note that the service took `token`."""
        self._tokens.accept(token)

    def reject(self, token: Token, refusal: GatewayError) -> bool:
        """Drop `token`, which the service refused; returns whether another one may be had."""
        if self._shared is not None:
            self._shared.refuse(token)
        return self._tokens.reject(token, refusal)


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
        """If this token is refused later, it will be for another reason than the one before."""
        self.credential.accept(self.token)

    def refused(self, refusal: GatewayError, reply: HttpReply) -> bool:  # noqa: ARG002  # the protocol's
        """Tokens die early, after a change of password for example: another one helps, unless this one is new."""
        return self.credential.reject(self.token, refusal)
