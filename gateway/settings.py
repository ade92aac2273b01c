"""What the settings of every room have in common. The rooms keep their settings beside the code that they configure."""

import re
from pathlib import Path
from typing import Annotated, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, WithJsonSchema, model_validator

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^\s:\[\]/]+):(?P<port>\d{1,5})")


class Settings(BaseModel):
    """Immutable, and strict about names: a setting that is not declared is an error."""

    # Rejected values are shown by config.py, which knows which of them are secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="after")
    def _one_place_for_each_secret(self) -> Self:
        for name, field in type(self).model_fields.items():
            given = holds_secret(field.annotation) and getattr(self, name) is not None
            if given and getattr(self, f"{name}_file", None) is not None:
                msg = f"{name} and {name}_file: give one of them, not both"
                raise ValueError(msg)
        return self

    def secret(self, name: str) -> str | None:
        """The secret `name` now: what the file of `{name}_file` holds, read anew, or what the settings say; else None.

        Raises `ValueError` naming the setting whose file cannot be read or is empty.
        """
        file = getattr(self, f"{name}_file")
        if file is not None:
            return read_secret_file(f"{name}_file", file)
        given = getattr(self, name, None)
        return given.get_secret_value() if isinstance(given, SecretStr) else None


def holds_secret(annotation: object) -> bool:
    """Whether a setting of this type is one that must never be shown."""
    return annotation is SecretStr or any(holds_secret(part) for part in get_args(annotation))


def read_secret_file(name: str, file: Path) -> str:
    """What a file of the setting `name` holds, without the line end that editors and `echo` leave. Raises `ValueError`."""
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{name}: {file} cannot be read ({type(error).__name__})"
        raise ValueError(msg) from error
    if not secret:
        msg = f"{name}: {file} is empty"
        raise ValueError(msg)
    return secret


def split_address(address: str) -> tuple[str, int]:
    """Split `host:port` or `[v6]:port`. Raises `ValueError` saying what is allowed."""
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        msg = "must be HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051, with a port from 0 (a free one) to 65535"
        raise ValueError(msg)
    return match["host"].strip("[]"), int(match["port"])


def join_address(host: str, port: int) -> str:
    """The inverse of `split_address`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_address(address: str) -> str:
    split_address(address)
    return address


def _check_base_url(url: str) -> str:
    msg = "must be an http:// or https:// URL with a host, and without user, query or fragment"
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError(msg)
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(msg) from error
    if not usable:
        raise ValueError(msg)
    return url.rstrip("/")


Address = Annotated[str, AfterValidator(_check_address), WithJsonSchema({"type": "string", "format": "address"})]
"""Where to listen, or what to connect to: `host:port`. Port 0 means a free one."""

TEXT_OR_LIST = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
"""Of a setting that is one text, and in a file an array of its parts if that reads better."""

BaseUrl = Annotated[str, AfterValidator(_check_base_url), WithJsonSchema({"type": "string", "format": "url"})]
"""An HTTP(S) URL to which paths are appended."""
