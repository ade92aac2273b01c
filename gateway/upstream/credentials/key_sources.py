"""Where access keys come from on this machine: settings, a file, the environment."""

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.key_document import read_key
from gateway.upstream.settings import AK_VARIABLE, SK_VARIABLE, CloudSettings

LOOK_AGAIN: Final = 10.0
"""Seconds after which a file is read again, while its last key serves on: so that it can be replaced at any time."""

MAX_FILE_BYTES: Final = 256 << 10

SECURITY_TOKEN_VARIABLE: Final = "HUAWEICLOUD_SDK_SECURITY_TOKEN"  # noqa: S105  # the name of a variable
PROJECT_VARIABLE: Final = "HUAWEICLOUD_SDK_PROJECT_ID"


class KeySource(Protocol):
    """Hands out the access key that is valid now."""

    async def fetch(self) -> AccessKey:
        """Raises `GatewayError`, `UPSTREAM_AUTHENTICATION_FAILED` where a person has to correct something."""


class SettingsKeys:
    """The key that the settings give; a secret that is in a file may be replaced there."""

    def __init__(self, settings: CloudSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock

    async def fetch(self) -> AccessKey:
        """See `KeySource`."""
        settings = self._settings
        in_files = settings.secret_key_file is not None or settings.security_token_file is not None
        renew_at = self._clock() + LOOK_AGAIN if in_files else math.inf
        try:
            secret_key = await asyncio.to_thread(settings.secret, "secret_key")
            security_token = await asyncio.to_thread(settings.secret, "security_token")
        except ValueError as error:
            raise _unusable("the secret key or its security token cannot be read") from error
        try:
            return AccessKey(settings.access_key or "", secret_key or "", security_token or "", renew_at=renew_at)
        except ValueError as error:
            raise _unusable(f"the room of settings `cloud` {error}") from error


class FileKeys:
    """The key in a file, which somebody else keeps up to date."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock

    async def fetch(self) -> AccessKey:
        """See `KeySource`."""
        try:
            text = await asyncio.to_thread(_read_text, self._path)
        except (OSError, ValueError) as error:
            raise _unusable("the file of access keys cannot be read") from error
        try:
            return read_key(text, self._clock(), LOOK_AGAIN)
        except ValueError as error:
            raise _unusable(f"the file of access keys {error}") from error


class EnvironmentKeys:
    """The key in the variables that the vendor's SDK reads, too."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    async def fetch(self) -> AccessKey:
        """See `KeySource`."""
        access_key, secret_key, security_token, project_id = (
            self._environment.get(name, "") for name in (AK_VARIABLE, SK_VARIABLE, SECURITY_TOKEN_VARIABLE, PROJECT_VARIABLE)
        )
        if not access_key or not secret_key:
            raise _unusable(f"the environment lacks {AK_VARIABLE} or {SK_VARIABLE}")
        try:
            return AccessKey(access_key, secret_key, security_token, project_id)
        except ValueError as error:
            raise _unusable(f"the environment {error}") from error


def _read_text(path: Path) -> str:
    with path.expanduser().open(encoding="utf-8") as file:
        return file.read(MAX_FILE_BYTES)


def _unusable(message: str) -> GatewayError:
    return GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, message)
