"""A small identity service: users, projects, self-contained tokens and temporary keys (API reference, sections 3.2 and 6.4)."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from gateway.rest.accounts import AccessKey, Project, User
from gateway.rest.accounts_file import load_accounts
from gateway.rest.keystone import SignInError, malformed, member, unauthorized
from gateway.rest.password import Password
from gateway.rest.seal import open_seal
from gateway.rest.session import Method, Session, TokenError, Tokens
from gateway.rest.settings import RestSettings
from gateway.rest.temporary import LONGEST, SHORTEST, TemporaryKeys

__all__ = ["Iam", "SignInError"]

_HASHES_AT_ONCE: Final = 2
"""Anyone can have a password hashed; so it is not to take all threads, nor the memory of many hashes at once."""


class Iam:
    """Signs users in, reads their tokens and finds their keys."""

    def __init__(self, settings: RestSettings, clock: Callable[[], float]) -> None:
        """Read the files that the settings name; nothing is read again later. `clock` returns seconds since the epoch.

        Raises `RestConfigError`.
        """
        self.accounts: Final = load_accounts(settings)
        seal = open_seal(settings)
        self._clock = clock
        self._lifetime = settings.token_lifetime
        self._tokens = Tokens(seal, self.accounts, settings.token_bytes)
        self._temporary = TemporaryKeys(seal, self.accounts, clock)
        # Not a semaphore: that would be free as soon as a caller hangs up, while the thread goes on hashing.
        self._hashing = ThreadPoolExecutor(_HASHES_AT_ONCE, thread_name_prefix="hashing")
        passwords = [user.password for user in self.accounts.users if user.password is not None]
        hashed = [password for password in passwords if password.is_hashed]
        self._hashed_decoy = max(hashed, key=lambda password: password.n * password.r * password.p).decoy() if hashed else None
        self._plain_decoy = Password.plain(secrets.token_hex(32))

    async def sign_in(self, request: object) -> tuple[str, Session]:
        """Check the document of a sign-in and return a token with what it stands for. Raises `SignInError`."""
        auth = member(request, "auth")
        identity = member(auth, "identity")
        now = int(self._clock())
        method: Method
        match identity.get("methods"):
            case ["password"]:
                method = "password"
                user = await self._checked_user(member(member(identity, "password"), "user"))
                expires_at = now + self._lifetime
            case ["token"]:
                method = "token"
                before = self.token_in(identity, None)
                # The end stays: else a token could be kept alive for ever.
                user, expires_at = before.user, before.expires_at
            case _:
                raise malformed('auth.identity.methods must be ["password"] or ["token"]')
        session = Session(user, _scope(user, auth.get("scope")), method, now, expires_at)
        return self._tokens.write(session), session

    def session(self, token: str) -> Session:
        """What `token` stands for. Raises `TokenError`."""
        return self._tokens.read(token, self._clock())

    def token_in(self, identity: dict[str, Any], sent: str | None) -> Session:
        """The session of the token in `identity.token.id` or, without one there, of `sent`. Raises `SignInError`."""
        given = member(identity, "token").get("id") if "token" in identity else None
        token = given if given is not None else sent
        if not isinstance(token, str) or not token:
            raise malformed("The request holds no token: auth.identity.token.id.")
        try:
            return self.session(token)
        except TokenError as error:
            raise unauthorized(f"The token is refused: {error}.") from None

    def issue_temporary_key(self, request: object, sent: str | None) -> AccessKey:
        """Check the document of a request for a temporary key, `sent` being the token in its header. Raises `SignInError`."""
        identity = member(member(request, "auth"), "identity")
        if identity.get("methods") != ["token"]:
            raise malformed('auth.identity.methods must be ["token"]')
        session = self.token_in(identity, sent)
        seconds = member(identity, "token").get("duration_seconds", SHORTEST) if "token" in identity else SHORTEST
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not SHORTEST <= seconds <= LONGEST:
            raise malformed(f"duration_seconds must be a whole number from {SHORTEST} to {LONGEST}.")
        return self._temporary.issue(session.user, session.project, seconds)

    def access_key(self, access_key: str, security_token: str | None) -> AccessKey | None:
        """The key of that name, a configured or a temporary one, whether or not it may be used."""
        found = self.accounts.access_key(access_key)
        return self._temporary.find(access_key, security_token) if found is None and security_token else found

    async def _checked_user(self, given: dict[str, Any]) -> User:
        user = self._named_user(given)
        password = given.get("password")
        matches = await self._matches(user.password if user else None, password if isinstance(password, str) else None)
        if user is None or not matches or not user.enabled:
            raise unauthorized("The username or password is wrong.")
        return user

    def _named_user(self, given: dict[str, Any]) -> User | None:
        user_id, name = given.get("id"), given.get("name")
        if isinstance(user_id, str):
            return self.accounts.user(user_id)
        domain = member(given, "domain")
        domain_id, domain_name = domain.get("id"), domain.get("name")
        if not isinstance(name, str):
            return None
        if isinstance(domain_id, str):
            return self.accounts.user_named(name, domain_id=domain_id)
        return self.accounts.user_named(name, domain_name=domain_name) if isinstance(domain_name, str) else None

    async def _matches(self, expected: Password | None, given: str | None) -> bool:
        """Compare with the same work whether or not there is such a user, so that the time taken tells nothing about names."""
        hashed = expected if expected is not None and expected.is_hashed else self._hashed_decoy
        plain = expected if expected is not None and not expected.is_hashed else self._plain_decoy
        text = given or ""
        same = plain.matches(text)
        if hashed is not None:
            same = await asyncio.get_running_loop().run_in_executor(self._hashing, hashed.matches, text) or same
        return same and given is not None


def _scope(user: User, scope: object) -> Project | None:
    """The project asked for; None for the domain, which is also what is meant without any scope. Raises `SignInError`."""
    if not isinstance(scope, dict) or not scope:
        return None
    if "project" in scope:
        return _project(user, member(scope, "project"))
    domain = member(scope, "domain")
    if not _is_domain_of(user, domain):
        raise unauthorized("The domain is unknown, or not the user's.")
    return None


def _project(user: User, wanted: dict[str, Any]) -> Project:
    key = "id" if "id" in wanted else "name"
    found = [project for project in user.projects if project.enabled and getattr(project, key) == wanted.get(key)]
    if not found or ("domain" in wanted and not _is_domain_of(user, member(wanted, "domain"))):
        raise unauthorized("The project is unknown, or the user has no access to it.")
    return found[0]


def _is_domain_of(user: User, wanted: dict[str, Any]) -> bool:
    key = "id" if "id" in wanted else "name"
    return bool(wanted.get(key) == getattr(user.domain, key))
