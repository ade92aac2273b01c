"""What a token stands for, and the tokens themselves: claims that travel with the caller, sealed. Nothing is stored."""

import secrets
from dataclasses import dataclass
from typing import Final, Literal

from gateway.rest.accounts import Accounts, Project, User
from gateway.rest.seal import Seal

Method = Literal["password", "token"]

_KIND: Final = "token"


@dataclass(frozen=True, slots=True)
class Session:
    """A user who signed in. Times are in seconds since the epoch."""

    user: User
    project: Project | None
    """None for a token that is scoped to the domain only."""
    method: Method
    issued_at: int
    expires_at: int


class TokenError(Exception):
    """Why a token is refused; the message may be shown."""

    def __init__(self, message: str, *, abnormal: bool = False) -> None:
        """`abnormal` for a token of ours that stands for what is not there any more, or disabled."""
        super().__init__(message)
        self.abnormal = abnormal


class Tokens:
    """Writes sessions as tokens and reads them back."""

    def __init__(self, seal: Seal, accounts: Accounts, least_length: int) -> None:
        self._seal = seal
        self._accounts = accounts
        self._least_length = least_length

    def write(self, session: Session) -> str:
        """The token of a session; no two are the same."""
        claims = {
            "user": session.user.id,
            "project": session.project.id if session.project else None,
            "method": session.method,
            "iat": session.issued_at,
            "exp": session.expires_at,
            "id": secrets.token_hex(8),
        }
        return self._seal.seal(_KIND, claims, self._least_length)

    def read(self, token: str, now: float) -> Session:
        """The session that `token` stands for. Raises `TokenError`."""
        claims = self._seal.open(_KIND, token)
        if claims is None or now >= claims["exp"]:
            msg = "the token is invalid or has expired"
            raise TokenError(msg)
        user = self._accounts.user(claims["user"])
        if user is None or not user.enabled:
            msg = "the user of the token is disabled or gone"
            raise TokenError(msg, abnormal=True)
        project = user.project(claims["project"]) if claims["project"] else None
        if claims["project"] and project is None:
            msg = "the project of the token is disabled, gone, or closed to the user"
            raise TokenError(msg, abnormal=True)
        return Session(user, project, claims["method"], claims["iat"], claims["exp"])
