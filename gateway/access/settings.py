"""Settings of who may call."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gateway.access.algorithms import ALL, ASYMMETRIC
from gateway.settings import Settings

KINDS: Final = ("api_key", "jwt", "certificate")


def _one_of(names: str, known: tuple[str, ...]) -> str:
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    if not set(chosen) <= set(known) or len(set(chosen)) < len(chosen):
        msg = f"must be names out of {', '.join(known)}, each once, with commas"
        raise ValueError(msg)
    return ",".join(chosen)


def _check_kinds(names: str) -> str:
    return _one_of(names, KINDS)


def _check_algorithms(names: str) -> str:
    return _one_of(names, ALL)


def _check_keys(where: str) -> str:
    if "://" not in where:
        return where
    parts = urlsplit(where)
    if parts.scheme == "https" and parts.hostname:
        return where
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return where
    msg = "must be a file, or an https:// URL: whoever could change the keys on their way could sign tokens"
    raise ValueError(msg)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, is of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


class AccessSettings(Settings):
    """Who may call, and how much."""

    authenticators: Annotated[str, AfterValidator(_check_kinds)] | None = Field(
        None,
        description="By what callers are known, with commas, in the order in which they are asked: api_key, jwt, certificate. "
        "Unset: nobody is asked who they are.",
        examples=["api_key,jwt"],
        json_schema_extra={"reason": "on this machine alone nobody need be asked; elsewhere somebody must decide"},
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Whether calls without credentials are served. Needed to listen on other than loopback addresses without "
        "authenticators.",
        json_schema_extra={"reason": "what strangers may call is decided, not forgotten"},
    )
    tenants_file: Path | None = Field(
        None,
        description="TOML file with tenants, their keys and limits (docs/access.md). Read again when it changes.",
        examples=["/etc/image-gateway/tenants.toml"],
        json_schema_extra={"reason": "one tenant without limits needs none"},
    )
    reload_interval: float = Field(
        5.0,
        ge=0.1,
        le=3600,
        description="Seconds between two looks whether tenants_file, a file of jwt_keys or the server's certificate has changed.",
        json_schema_extra={"reason": "a key that is revoked is refused within seconds"},
    )
    jwt_issuer: str | None = Field(
        None,
        min_length=1,
        description="Who must have issued a token (`iss`).",
        examples=["https://login.example.org"],
        json_schema_extra={"reason": "only its operator knows it"},
    )
    jwt_audience: str | None = Field(
        None,
        min_length=1,
        description="Whom a token must be for (`aud`).",
        examples=["image-gateway"],
        json_schema_extra={"reason": "only its operator knows it"},
    )
    jwt_keys: Annotated[str, AfterValidator(_check_keys)] | None = Field(
        None,
        min_length=1,
        description="The issuer's keys (JWK set): a file, or an https:// URL.",
        examples=["https://login.example.org/keys.json"],
        json_schema_extra={"reason": "only the issuer's operator knows where they are"},
    )
    jwt_algorithms: Annotated[str, AfterValidator(_check_algorithms)] = Field(
        ",".join(ASYMMETRIC),
        min_length=1,
        description="Algorithms that tokens may be signed by, with commas. HS256, HS384, HS512, whose keys must be kept secret, "
        "can be added for keys of a file.",
        json_schema_extra={"reason": "whoever checks such tokens cannot make them"},
    )
    jwt_tenant_claim: str = Field(
        "sub",
        min_length=1,
        max_length=200,
        description="The claim that tells the tenant, by its name or one of its subjects.",
        json_schema_extra={"reason": "every issuer sets it (RFC 7519)"},
    )
    jwt_leeway: float = Field(
        30.0,
        ge=0,
        le=300,
        description="Seconds by which the issuer's clock may differ.",
        json_schema_extra={"reason": "clocks that are kept by NTP differ by far less"},
    )
    jwt_refresh: float = Field(
        300.0,
        ge=10,
        le=86_400,
        description="Seconds between two fetches of the keys from a URL.",
        json_schema_extra={"reason": "a key that is withdrawn is refused within minutes"},
    )
    jwt_refetch_pause: float = Field(
        30.0,
        ge=1,
        le=3600,
        description="Least seconds between two fetches, however many tokens name keys that are not known. After a fetch that "
        "fails, the next comes so soon, and later after each more, at most `jwt_refresh`.",
        json_schema_extra={"reason": "forged key ids cost the issuer two requests a minute"},
    )
    jwt_max_age: float = Field(
        86_400.0,
        ge=60,
        le=30 * 86_400,
        description="Seconds after which keys that could not be renewed from their URL are trusted no more, and tokens refused. "
        "At least `jwt_refresh`.",
        json_schema_extra={
            "reason": "an issuer that is down for a day shuts nobody out; a key that it has withdrawn is not good for ever"
        },
    )
    budget_store: Literal["memory", "redis"] = Field(
        "memory",
        description="Where calls of daily budgets are counted: in this process, or in the Redis of `redis.*`, for all replicas.",
        json_schema_extra={"reason": "needs nothing else"},
    )
    budget_without_redis: Literal["refuse", "count_here"] = Field(
        "refuse",
        description="What becomes of calls with a budget while the Redis is gone: refused (BUDGET_UNKNOWN), or counted by each "
        "replica for itself, so that up to as many budgets may be spent as there are replicas.",
        json_schema_extra={"reason": "money that cannot be counted is not spent"},
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of `authenticators`."""
        return tuple(filter(None, (self.authenticators or "").split(",")))

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Of `jwt_algorithms`."""
        return tuple(self.jwt_algorithms.split(","))

    @property
    def keys_are_remote(self) -> bool:
        """Whether `jwt_keys` is a URL."""
        return self.jwt_keys is not None and re.match(r"https?://", self.jwt_keys) is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for kind in self.kinds:
            if kind != "jwt" and self.tenants_file is None:
                msg = f"tenants_file: needed by the authenticator {kind}, which knows callers by it"
                raise ValueError(msg)
        if "jwt" in self.kinds:
            for name in ("jwt_issuer", "jwt_audience", "jwt_keys"):
                if getattr(self, name) is None:
                    msg = f"{name}: needed by the authenticator jwt"
                    raise ValueError(msg)
        if self.jwt_max_age < self.jwt_refresh:
            msg = f"jwt_max_age: must be at least jwt_refresh, which is {self.jwt_refresh:g}"
            raise ValueError(msg)
        if self.keys_are_remote and any(name.startswith("HS") for name in self.algorithms):
            msg = "jwt_algorithms: HS256, HS384 and HS512 need jwt_keys to be a file, since their keys are secret"
            raise ValueError(msg)
        return self
