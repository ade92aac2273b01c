"""Who may see what tells of settings, and change the log."""

import hmac
import ipaddress
from pathlib import Path
from typing import Final

from aiohttp import web
from yarl import URL

from gateway.ops.settings import OpsSettings

_BEARER: Final = "bearer "


class Guard:
    """Lets in by token, if there is one; without, everybody on loopback, and nobody elsewhere unless the settings say so."""

    def __init__(self, settings: OpsSettings) -> None:
        self._token_file = settings.token_file
        self._is_loopback = settings.is_loopback
        self._allow_all = settings.allow_all

    def check(self, request: web.Request) -> None:
        """Raise the `web.HTTPException` that refuses `request`, if it is to be."""
        if self._token_file is not None:
            self._check_token(self._token_file, request.headers.get("Authorization", ""))
        elif self._is_loopback:
            # A page in a browser on this machine may have a name of its own lead here (DNS rebinding).
            if not _is_of_loopback(request.host):
                raise web.HTTPForbidden(text="the Host header must be a loopback address or localhost\n")
        elif not self._allow_all:
            raise web.HTTPForbidden(text="not on this address: set ops.token_file, or ops.allow_all\n")

    @staticmethod
    def _check_token(file: Path, authorization: str) -> None:
        try:
            token = file.read_bytes().strip()
        except OSError as error:
            raise web.HTTPForbidden(text="ops.token_file cannot be read\n") from error
        scheme, given = authorization[: len(_BEARER)], authorization[len(_BEARER) :].strip()
        right = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token)
        if not token or scheme.lower() != _BEARER or not right:
            raise web.HTTPUnauthorized(
                text="the token of ops.token_file is needed: Authorization: Bearer TOKEN\n",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _is_of_loopback(host: str) -> bool:
    try:
        name = URL(f"http://{host}").host or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
