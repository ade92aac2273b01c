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
    password_file: Path | None = Field(
        None, description="File that holds the password; read anew for every connection, so that it can be rotated."
    )
    ca_file: Path | None = Field(
        None, description="File of the certificates that vouch for the server's, instead of the system's (`rediss://` only)."
    )
    timeout: Annotated[float, Field(gt=0, le=10)] = Field(
        0.1, description="Seconds for one command, connecting included; longer is not waited for what may be had without."
    )
    prefix: str = Field(
        "image-gateway:",
        max_length=100,
        description="Begins all keys; gateways that must not share answers or tokens need one each.",
    )
    share_token: bool = Field(
        default=False,
        description="Whether the cloud's token is kept there, so that replicas share one. Off: who may read the Redis could "
        "use it.",
    )

    def check_complete(self) -> None:
        """Raise `ValueError` naming what is missing, contradictory or unreadable."""
        if self.url is None:
            msg = "url: needed when something is to be kept in a Redis"
            raise ValueError(msg)
        parts = urlsplit(self.url.get_secret_value())
        if self.password_file is not None:
            if parts.password:
                msg = "password_file: the URL holds a password, too; give one of them"
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
        """User and password now, empty if there are none. Raises `ValueError` if the file cannot be read or is empty."""
        parts = urlsplit(self.url.get_secret_value() if self.url else "")
        user = unquote(parts.username or "")
        if self.password_file is None:
            return user, unquote(parts.password or "")
        try:
            password = self.password_file.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"password_file: {self.password_file} cannot be read ({type(error).__name__})"
            raise ValueError(msg) from error
        if not password:
            msg = f"password_file: {self.password_file} is empty"
            raise ValueError(msg)
        return user, password
