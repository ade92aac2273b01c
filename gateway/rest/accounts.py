"""Who there is: accounts (domains), their projects, users and access keys. Plain facts, with the look-ups that callers need."""

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.rest.password import Password
from gateway.rest.quota import Quota


@dataclass(frozen=True, slots=True)
class Domain:
    """An account of the cloud."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Project:
    """What a token is for, and part of the services' paths."""

    id: str
    name: str
    domain: Domain
    enabled: bool = True
    quota: Quota = field(default_factory=Quota)


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may call. `projects` are those open to the user, the enabled and the others."""

    id: str
    name: str
    domain: Domain
    password: Password | None = None
    projects: tuple[Project, ...] = ()
    enabled: bool = True
    quota: Quota = field(default_factory=Quota)

    def project(self, project_id: str) -> Project | None:
        """The project with that id, if it is open to the user and enabled."""
        return next((project for project in self.projects if project.id == project_id and project.enabled), None)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An AK with its SK. A temporary one has a security token, which callers send along, and an end (seconds since the epoch)."""

    access_key: str
    secret_key: str = field(repr=False)
    user: User
    projects: tuple[Project, ...]
    enabled: bool = True
    security_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None

    def usable(self, security_token: str | None, now: float) -> bool:
        """Whether a request may be signed with the key now. `security_token` is what the request sent, None if nothing."""
        given, expected = security_token or "", self.security_token or ""
        same = hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())
        alive = self.expires_at is None or now < self.expires_at
        return self.enabled and self.user.enabled and same and alive


class Accounts:
    """All accounts. Nothing changes after the start."""

    def __init__(self, users: Iterable[User], access_keys: Iterable[AccessKey]) -> None:
        """`users` have ids, and names within their domain, of their own; so have `access_keys`."""
        self.users: Final = tuple(users)
        self._by_id = {user.id: user for user in self.users}
        self._by_name = {(user.domain.name, user.name): user for user in self.users}
        self._by_domain_id = {(user.domain.id, user.name): user for user in self.users}
        self._keys = {key.access_key: key for key in access_keys}

    def user(self, user_id: str) -> User | None:
        """The user with that id."""
        return self._by_id.get(user_id)

    def user_named(self, name: str, *, domain_name: str | None = None, domain_id: str | None = None) -> User | None:
        """The user of that name in the domain with that id or, if none is given, that name."""
        if domain_id is not None:
            return self._by_domain_id.get((domain_id, name))
        return self._by_name.get((domain_name or "", name))

    def access_key(self, access_key: str) -> AccessKey | None:
        """The configured key of that name."""
        return self._keys.get(access_key)


def domain_id_of(name: str) -> str:
    """The id of a domain that was given none: the same at every start."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"domain:{name}").hex


def user_id_of(domain: str, name: str) -> str:
    """The id of a user that was given none."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"user:{domain}:{name}").hex


def project_id_of(domain: str, name: str) -> str:
    """The id of a project that was given none."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"project:{domain}:{name}").hex
