"""Accounts from the settings: the one user that they declare, and those of the accounts file."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from gateway.rest.account_entries import (
    AccessKeyEntry,
    AccountsDocument,
    DomainEntry,
    ProjectEntry,
    QuotaEntry,
    UserEntry,
)
from gateway.rest.accounts import AccessKey, Accounts, Domain, Project, User, domain_id_of, project_id_of, user_id_of
from gateway.rest.quota import Quota
from gateway.rest.settings import RestConfigError, RestSettings


def load_accounts(settings: RestSettings) -> Accounts:
    """Make the accounts. Raises `RestConfigError`, with one problem for each entry that cannot be used, and no secrets."""
    domains = _read(settings.accounts_file) if settings.accounts_file is not None else []
    # A user who has neither cannot come in, and would stand beside the file's as a name to guess at.
    if settings.lets_someone_in:
        domains = _with_user_of(settings, domains)
    builder = _Builder()
    for domain in domains:
        builder.add_domain(domain)
    if builder.problems:
        raise RestConfigError(builder.problems)
    return Accounts(builder.users, builder.keys)


def _read(file: Path) -> list[DomainEntry]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RestConfigError([f"accounts_file {file} cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RestConfigError([f"accounts_file {file} is not TOML: {_position(error)}"]) from None
    try:
        return AccountsDocument.model_validate(document).domains
    except ValidationError as error:
        # Neither the value nor, for what it may show, the exception itself goes any further.
        found = error.errors(include_input=False, include_url=False)
        problems = [f"accounts_file {file}: {_place(document, entry['loc'])}{_rule(entry['msg'])}" for entry in found]
        raise RestConfigError(problems) from None


def _position(error: Exception) -> str:
    """Where, without what stands there: TOML's messages can quote keys."""
    _, separator, place = str(error).rpartition("(at ")
    return f"see {place.rstrip(')')}" if separator else type(error).__name__


def _place(document: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """Such as `domains[0] (acme) users[1] (ada) password_hash: `."""
    words: list[str] = []
    here: Any = document
    for part in location:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(part, int):
            name = here.get("name") or here.get("access_key") if isinstance(here, dict) else None
            words[-1] += f"[{part}]" + (f" ({name})" if isinstance(name, str) else "")
        else:
            words.append(part)
    return " ".join(words) + ": " if words else ""


def _rule(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[0].lower() + text[1:]


def _with_user_of(settings: RestSettings, domains: list[DomainEntry]) -> list[DomainEntry]:
    project = ProjectEntry(name=settings.project, id=settings.project_id)
    try:
        password, secret_key = settings.secret("password"), settings.secret("secret_key")
    except ValueError as error:
        raise RestConfigError([str(error)]) from None
    keys = []
    if settings.access_key is not None and secret_key is not None:
        keys.append(AccessKeyEntry(access_key=settings.access_key, secret_key=SecretStr(secret_key)))
    signs_in = SecretStr(password) if password is not None else None
    user = UserEntry(name=settings.user, password=signs_in, projects=[settings.project_id], access_keys=keys)
    for index, domain in enumerate(domains):
        if domain.name == settings.domain:
            declared = [entry for entry in domain.projects if entry.id == project.id and entry.name == project.name]
            projects = domain.projects if declared else [*domain.projects, project]
            merged = domain.model_copy(update={"projects": projects, "users": [*domain.users, user]})
            return [*domains[:index], merged, *domains[index + 1 :]]
    return [*domains, DomainEntry(name=settings.domain, projects=[project], users=[user])]


class _Builder:
    """Makes facts of entries and keeps count of the names taken, the problems and the results."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.users: list[User] = []
        self.keys: list[AccessKey] = []
        self._taken: set[str] = set()

    def add_domain(self, entry: DomainEntry) -> None:
        domain = Domain(entry.id or domain_id_of(entry.name), entry.name)
        self._take(f"domain {domain.name}")
        self._take(f"domain id {domain.id}")
        projects = [self._project(domain, project) for project in entry.projects]
        for user in entry.users:
            self._add_user(domain, projects, user)

    def _project(self, domain: Domain, entry: ProjectEntry) -> Project:
        project_id = entry.id or project_id_of(domain.name, entry.name)
        self._take(f"project id {project_id}")
        self._take(f"project {entry.name} of domain {domain.name}")
        return Project(project_id, entry.name, domain, entry.enabled, _quota(entry.quota))

    def _add_user(self, domain: Domain, projects: list[Project], entry: UserEntry) -> None:
        place = f"user {entry.name} of domain {domain.name}"
        user = User(
            id=entry.id or user_id_of(domain.name, entry.name),
            name=entry.name,
            domain=domain,
            password=entry.expected_password(),
            projects=self._chosen(place, entry.projects, projects),
            enabled=entry.enabled,
            quota=_quota(entry.quota),
        )
        self._take(place)
        self._take(f"user id {user.id}")
        self.users.append(user)
        for key in entry.access_keys:
            self._take(f"access key {key.access_key}")
            self.keys.append(
                AccessKey(
                    access_key=key.access_key,
                    secret_key=key.secret_key.get_secret_value(),
                    user=user,
                    projects=self._chosen(f"access key {key.access_key} of {place}", key.projects, user.projects),
                    enabled=key.enabled,
                    security_token=key.security_token.get_secret_value() if key.security_token else None,
                    expires_at=key.expires_at.timestamp() if key.expires_at else None,
                )
            )

    def _chosen(self, place: str, names: list[str] | None, projects: Iterable[Project]) -> tuple[Project, ...]:
        """The projects that are named, by name or id; all, if none is named at all."""
        if names is None:
            return tuple(projects)
        chosen = []
        for name in names:
            found = next((project for project in projects if name in (project.id, project.name)), None)
            if found is None:
                self.problems.append(f"{place}: project {name} is not one that can be given here")
            elif found not in chosen:
                chosen.append(found)
        return tuple(chosen)

    def _take(self, what: str) -> None:
        if what in self._taken:
            self.problems.append(f"{what} is declared twice, be it in accounts_file or by rest.user, rest.project and the like")
        self._taken.add(what)


def _quota(entry: QuotaEntry) -> Quota:
    return Quota(
        calls_per_second=entry.calls_per_second,
        burst=entry.burst,
        calls_at_once=entry.calls_at_once,
        calls_per_month=entry.calls_per_month,
        frozen=entry.frozen,
        subscribed=None if entry.subscribed is None else frozenset(entry.subscribed),
        not_enabled=frozenset(entry.not_enabled),
    )
