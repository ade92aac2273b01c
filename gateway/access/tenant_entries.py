"""The form of the tenants file."""

import re
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from gateway.access.key_text import HASH_FORM, ID_FORM
from gateway.access.operations import Operation
from gateway.access.tenants import Limits

MAX_TENANT_CHARS: Final = 64

_TENANT: Final = re.compile(rf"[!-~]{{1,{MAX_TENANT_CHARS}}}")


def is_tenant_name(name: str) -> bool:
    """Whether `name` is 1 to 64 printable ASCII characters without spaces."""
    return _TENANT.fullmatch(name) is not None


def _tenant_name(name: str) -> str:
    if not is_tenant_name(name):
        msg = f"must be 1 to {MAX_TENANT_CHARS} printable ASCII characters without spaces"
        raise ValueError(msg)
    return name


def _certificate_name(name: str) -> str:
    if not re.fullmatch(r"(dns|uri|ip|email|cn):\S.*", name):
        msg = "must be dns:…, uri:…, ip:…, email:… or cn:…, such as dns:front.internal"
        raise ValueError(msg)
    return name


_Name = Annotated[str, AfterValidator(_tenant_name)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class LimitsEntry(_Entry):
    """What both a tenant and `[default]` have."""

    tenant_class: str = Field("default", alias="class", pattern=r"^[a-z0-9_-]{1,32}$")
    operations: list[Annotated[Operation, Field(strict=False)]] | None = None
    concurrency: int | None = Field(None, ge=1, le=100_000)
    rate: float | None = Field(None, gt=0, le=1_000_000, strict=False)
    burst: int | None = Field(None, ge=1, le=1_000_000)
    daily_budget: int | None = Field(None, ge=0, le=1_000_000_000)
    shadow: bool = False

    @model_validator(mode="after")
    def _bursts(self) -> Self:
        if self.burst is not None and self.rate is None:
            msg = "burst needs rate"
            raise ValueError(msg)
        return self

    def limits(self, default: Limits | None = None) -> Limits:
        """The limits; what is not said is as in `default`."""
        said = self.model_fields_set
        base = default or Limits()
        operations = frozenset(self.operations) if self.operations is not None else None
        return Limits(
            tenant_class=self.tenant_class if "tenant_class" in said else base.tenant_class,
            operations=operations if "operations" in said else base.operations,
            concurrency=self.concurrency if "concurrency" in said else base.concurrency,
            rate=self.rate if "rate" in said else base.rate,
            burst=self.burst if "rate" in said or "burst" in said else base.burst,  # another rate has another burst
            daily_budget=self.daily_budget if "daily_budget" in said else base.daily_budget,
            shadow=self.shadow if "shadow" in said else base.shadow,
        )


class KeyEntry(_Entry):
    """An API key."""

    id: str = Field(pattern=ID_FORM)
    hash: str = Field(pattern=HASH_FORM)
    not_before: AwareDatetime | None = None
    expires: AwareDatetime | None = None
    comment: str = ""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.not_before is not None and self.expires is not None and self.not_before >= self.expires:
            msg = "expires must be later than not_before"
            raise ValueError(msg)
        return self

    def span(self) -> tuple[datetime | None, datetime | None]:
        """From when and until when it is in force."""
        return self.not_before, self.expires


class TenantEntry(LimitsEntry):
    """A tenant."""

    name: _Name
    may_act_for: list[_Name] = Field(default_factory=list)
    keys: list[KeyEntry] = Field(default_factory=list)
    certificates: list[Annotated[str, AfterValidator(_certificate_name)]] = Field(default_factory=list)
    subjects: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(default_factory=list)


class TenantsDocument(_Entry):
    """The whole file."""

    default: LimitsEntry | None = None
    tenants: list[TenantEntry] = Field(default_factory=list)
