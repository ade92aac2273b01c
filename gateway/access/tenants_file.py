"""Reading the tenants file."""

import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from gateway.access.tenant_entries import TenantEntry, TenantsDocument
from gateway.access.tenants import KeyRecord, Limits, Roster, Tenant


class TenantsFileError(ValueError):
    """A tenants file that cannot be used: one line for each problem, none of which holds a hash."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_roster(file: Path, *, counts_alone: bool = True) -> Roster:
    """Read `file`. Raises `TenantsFileError`.

    `counts_alone`: whether this process alone counts what is spent; if not, budgets need a store that is shared.
    """
    document = _read(file)
    default = document.default.limits() if document.default is not None else None
    builder = _Builder(default)
    for entry in document.tenants:
        builder.add(entry)
    problems = [f"tenants_file {file}: {problem}" for problem in builder.problems]
    roster = builder.roster()
    if not counts_alone and _has_budgets(roster):
        problems.append(
            f"tenants_file {file}: daily_budget needs access.budget_store = 'redis' with rpc.workers over 1: a budget cannot be "
            "divided among workers, which get their connections by chance"
        )
    if problems:
        raise TenantsFileError(problems)
    return roster


def _has_budgets(roster: Roster) -> bool:
    limits = [tenant.limits for tenant in roster.tenants.values()] + ([roster.others] if roster.others else [])
    return any(limit.daily_budget is not None for limit in limits)


def _read(file: Path) -> TenantsDocument:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TenantsFileError([f"tenants_file {file} cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TenantsFileError([f"tenants_file {file} is not TOML: {_position(error)}"]) from None
    try:
        return TenantsDocument.model_validate(document)
    except ValidationError as error:
        # Without the values: a hash is no secret worth much, but a key that was pasted in its place is.
        found = error.errors(include_input=False, include_url=False)
        raise TenantsFileError(
            [f"tenants_file {file}: {_place(document, each['loc'])}{_rule(each['msg'])}" for each in found]
        ) from None


def _position(error: Exception) -> str:
    """Where, without what stands there: TOML's messages can quote keys."""
    _, separator, place = str(error).rpartition("(at ")
    return f"see {place.rstrip(')')}" if separator else type(error).__name__


def _place(document: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """Such as `tenants[0] (shop) keys[1] hash: `."""
    words: list[str] = []
    here: Any = document
    for part in location:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(part, int):
            name = here.get("name") if isinstance(here, dict) else None
            words[-1] += f"[{part}]" + (f" ({name})" if isinstance(name, str) else "")
        else:
            words.append(part)
    return " ".join(words) + ": " if words else ""


def _rule(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[0].lower() + text[1:]


class _Builder:
    """Makes a roster of entries, and keeps count of the names taken and the problems."""

    def __init__(self, default: Limits | None) -> None:
        self.problems: list[str] = []
        self._default = default
        self._tenants: dict[str, Tenant] = {}
        self._keys: dict[str, KeyRecord] = {}
        self._certificates: dict[str, str] = {}
        self._subjects: dict[str, str] = {}

    def add(self, entry: TenantEntry) -> None:
        name = entry.name
        self._take(self._tenants, name, Tenant(name, entry.limits(self._default), frozenset(entry.may_act_for)), "tenant")
        for key in entry.keys:
            self._take(self._keys, key.id, KeyRecord(name, key.hash, *key.span()), "key")
        for certificate in entry.certificates:
            self._take(self._certificates, certificate, name, "certificate")
        for subject in entry.subjects:
            self._take(self._subjects, subject, name, "subject")

    def roster(self) -> Roster:
        return Roster(
            MappingProxyType(self._tenants),
            self._default,
            MappingProxyType(self._keys),
            MappingProxyType(self._certificates),
            MappingProxyType(self._subjects),
        )

    def _take(self, known: dict[str, Any], name: str, what: object, kind: str) -> None:
        if name in known:
            self.problems.append(f"{kind} {name} is declared twice")
        known[name] = what
