"""Temporary access keys: AK, SK and a security token, made from a token. Nothing is stored: the security token says it all."""

import secrets
from collections.abc import Callable
from typing import Final

from gateway.rest.accounts import AccessKey, Accounts, Project, User
from gateway.rest.seal import Seal

SHORTEST: Final = 900
LONGEST: Final = 86_400
"""Seconds that a temporary key may be valid for."""

_KIND: Final = "security token"
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class TemporaryKeys:
    """Issues temporary keys and finds them again."""

    def __init__(self, seal: Seal, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._seal = seal
        self._accounts = accounts
        self._clock = clock

    def issue(self, user: User, project: Project | None, seconds: int) -> AccessKey:
        """Make a key for `user` that is good for `project` only or, if that is None, for all of the user's projects."""
        name = "HST" + "".join(secrets.choice(_ALPHABET) for _ in range(17))
        expires_at = int(self._clock()) + seconds
        claims = {"key": name, "user": user.id, "project": project.id if project else None, "exp": expires_at}
        return self._key(name, self._seal.seal(_KIND, claims), user, project, expires_at)

    def find(self, access_key: str, security_token: str) -> AccessKey | None:
        """The key that `security_token` was issued with, if that is `access_key` and its user and project are still there."""
        claims = self._seal.open(_KIND, security_token)
        user = self._accounts.user(claims["user"]) if claims else None
        if claims is None or user is None or claims["key"] != access_key:
            return None
        project = user.project(claims["project"]) if claims["project"] else None
        if claims["project"] and project is None:
            return None
        return self._key(access_key, security_token, user, project, claims["exp"])

    def _key(self, name: str, token: str, user: User, project: Project | None, expires_at: int) -> AccessKey:
        return AccessKey(
            access_key=name,
            secret_key=self._seal.secret("secret key", token),
            user=user,
            projects=(project,) if project else user.projects,
            security_token=token,
            expires_at=expires_at,
        )
