"""What the settings of every room have in common. The rooms keep their settings beside the code that they configure."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^\s:\[\]/]+):(?P<port>\d{1,5})")


class Settings(BaseModel):
    """Immutable, and strict about names: a setting that is not declared is an error."""

    # Rejected values are shown by config.py, which knows which of them are secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


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

BaseUrl = Annotated[str, AfterValidator(_check_base_url), WithJsonSchema({"type": "string", "format": "url"})]
"""An HTTP(S) URL to which paths are appended."""
