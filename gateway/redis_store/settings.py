"""Settings of the Redis that replicas share."""

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from gateway.settings import Settings

_URL: Final = re.compile(r"rediss?://([^\s/?#@]*@)?[^\s/?#@]+(/\d{0,5})?")


def _check_url(url: SecretStr) -> SecretStr:
    msg = "must be redis://HOST:PORT/DB, or rediss:// for TLS; [USER][:PASSWORD]@ may stand before the host"
    text = url.get_secret_value()
    if not _URL.fullmatch(text):
        raise ValueError(msg)
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(msg) from None  # the cause may quote the URL, which may hold the password
    return url


class RedisSettings(Settings):
    """A Redis (or Valkey) that replicas share."""

    url: Annotated[SecretStr, AfterValidator(_check_url)] | None = Field(
        None, description="`redis://HOST:PORT/DB`, or `rediss://` for TLS; may hold user and password, so it is never shown."
    )
    url_file: Path | None = Field(
        None, description="File that holds that URL. Read at the start.", examples=["/run/secrets/redis-url"]
    )
    password: SecretStr | None = Field(
        None, min_length=1, description="Password, if it does not stand in the URL. Prefer `password_file`."
    )
    password_file: Path | None = Field(
        None,
        description="File that holds the password; read anew for every connection, so that it can be rotated.",
        examples=["/run/secrets/redis-password"],
    )
    ca_file: Path | None = Field(
        None,
        description="File of the certificates that vouch for the server's, instead of the system's (`rediss://` only).",
        examples=["/etc/ssl/redis-ca.pem"],
    )
    timeout: Annotated[float, Field(gt=0, le=10)] = Field(
        0.1,
        description="Seconds for one command, connecting included; longer is not waited for what may be had without.",
        json_schema_extra={"reason": "longer is not waited for what may be had without"},
    )
    prefix: str = Field(
        "image-gateway:",
        max_length=100,
        description="Begins all keys; gateways that must not share answers or tokens need one each.",
        json_schema_extra={"reason": "tells whose keys they are"},
    )
    share_token: bool = Field(
        default=False,
        description="Whether the cloud's token is kept there, so that replicas share one. Off: who may read the Redis could "
        "use it.",
        json_schema_extra={"reason": "who may read the Redis could use it"},
    )

    def address(self) -> str:
        """The URL. Raises `ValueError` if its file cannot be read, or holds none."""
        return _check_url(SecretStr(self.secret("url") or "")).get_secret_value()

    def check_complete(self) -> None:
        """Raise `ValueError` naming what is missing, contradictory or unreadable."""
        if self.url is None and self.url_file is None:
            msg = "url or url_file: needed when something is to be kept in a Redis"
            raise ValueError(msg)
        try:
            parts = urlsplit(self.address())
        except ValueError as error:
            raise ValueError(_named("url_file", str(error))) from None  # the cause may quote the URL
        if parts.password and (self.password is not None or self.password_file is not None):
            msg = f"{'password' if self.password else 'password_file'}: the URL holds a password, too; give one of them"
            raise ValueError(msg)
        self.credentials()
        if self.ca_file is not None:
            if parts.scheme != "rediss":
                msg = "ca_file: needs a URL that begins with rediss://"
                raise ValueError(msg)
            if not self.ca_file.is_file():
                msg = f"ca_file: {self.ca_file} cannot be read"
                raise ValueError(msg)

    def credentials(self) -> tuple[str, str]:
        """User and password now, empty if there are none. Raises `ValueError` if a file cannot be read or is empty."""
        parts = urlsplit(self.address())
        password = self.secret("password")
        return unquote(parts.username or ""), unquote(parts.password or "") if password is None else password


def _named(name: str, problem: str) -> str:
    return problem if problem.startswith(f"{name}: ") else f"{name}: {problem}"
