"""The form of the accounts file, one class for each kind of entry. What is not in it is an error."""

import difflib
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from gateway.rest.password import Password
from gateway.rest.settings import ACCESS_KEY_FORM, ID_FORM

_Name = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(pattern=ID_FORM)]
_Secret = Annotated[SecretStr, Field(min_length=1)]
_Count = Annotated[int, Field(ge=1)]

_LAST_YEAR: Final = 9999


class Entry(BaseModel):
    """What all kinds of entries have in common: no conversions, no values in messages, and a hint for a name misspelt."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, document: object) -> object:
        for name in document if isinstance(document, dict) else ():
            if name not in cls.model_fields:
                near = difflib.get_close_matches(str(name), cls.model_fields, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(cls.model_fields)}"
                msg = f"unknown name {name}; {hint}"
                raise ValueError(msg)
        return document


class QuotaEntry(Entry):
    """`quota` of a user or a project."""

    calls_per_second: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    burst: _Count | None = None
    calls_at_once: _Count | None = None
    calls_per_month: Annotated[int, Field(ge=0)] | None = None
    frozen: bool = False
    subscribed: list[str] | None = None
    not_enabled: list[str] = []

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> Self:
        if self.burst is not None and self.calls_per_second is None:
            msg = "burst needs calls_per_second"
            raise ValueError(msg)
        return self


class ProjectEntry(Entry):
    """One of `domains.projects`."""

    name: _Name
    id: _Id | None = None
    enabled: bool = True
    quota: QuotaEntry = QuotaEntry()


class AccessKeyEntry(Entry):
    """One of `domains.users.access_keys`."""

    access_key: Annotated[str, Field(pattern=ACCESS_KEY_FORM)]
    secret_key: _Secret
    enabled: bool = True
    projects: list[str] | None = None
    security_token: _Secret | None = None
    expires_at: datetime | None = None

    @model_validator(mode="after")
    def _temporary(self) -> Self:
        if (self.security_token is None) != (self.expires_at is None):
            msg = "security_token and expires_at: give both, for a temporary key, or neither"
            raise ValueError(msg)
        if self.expires_at is not None and (self.expires_at.tzinfo is None or self.expires_at.year >= _LAST_YEAR):
            msg = "expires_at must be a time with its zone, such as 2031-01-01T00:00:00Z"
            raise ValueError(msg)
        return self


class UserEntry(Entry):
    """One of `domains.users`."""

    name: _Name
    id: _Id | None = None
    password: _Secret | None = None
    password_hash: SecretStr | None = None
    enabled: bool = True
    projects: list[str] | None = None
    quota: QuotaEntry = QuotaEntry()
    access_keys: list[AccessKeyEntry] = []

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_hash is not None:
            msg = "password and password_hash: give one or neither"
            raise ValueError(msg)
        try:
            self.expected_password()
        except ValueError as error:
            msg = f"password_hash {error}"
            raise ValueError(msg) from None
        return self

    def expected_password(self) -> Password | None:
        """What a password is checked against; None if the user cannot sign in by password."""
        if self.password_hash is not None:
            return Password.hashed(self.password_hash.get_secret_value())
        return Password.plain(self.password.get_secret_value()) if self.password is not None else None


class DomainEntry(Entry):
    """One of `domains`."""

    name: _Name
    id: _Id | None = None
    projects: list[ProjectEntry] = []
    users: list[UserEntry] = []


class AccountsDocument(Entry):
    """The whole file."""

    domains: list[DomainEntry]
