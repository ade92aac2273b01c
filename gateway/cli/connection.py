"""How commands reach a running gateway."""

from pathlib import Path

from gateway.client.channel import Connection
from gateway.client.settings import ClientSettings
from gateway.client.tls import Tls
from gateway.config import ConfigError

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def opened_connection(target: str, settings: ClientSettings) -> Connection:
    """A connection as the settings say; to be closed. Raises `ConfigError` for a file that cannot be used."""
    return Connection(target, tls=tls_of(settings), api_key=_api_key(settings), token=_token(settings.token_file))


def tls_of(settings: ClientSettings) -> Tls | None:
    """What TLS is spoken with, if it is. Raises `ConfigError` for a file that cannot be used."""
    if not (settings.tls or settings.ca_file or settings.tls_certificate or settings.tls_server_name):
        return None
    return Tls(
        roots=_certificates("client.ca_file", settings.ca_file),
        certificate=_certificates("client.tls_certificate", settings.tls_certificate),
        key=None if settings.tls_key is None else _read("client.tls_key", settings.tls_key),
        server_name=settings.tls_server_name,
    )


def _api_key(settings: ClientSettings) -> str:
    if settings.api_key_file is not None:
        return _secret("client.api_key_file", settings.api_key_file, "one API key")
    return settings.api_key.get_secret_value() if settings.api_key is not None else ""


def _token(file: Path | None) -> str | None:
    return None if file is None else _secret("client.token_file", file, "one token")


def _secret(setting: str, file: Path, what: str) -> str:
    """What `file` holds, which must be one word: nothing else can be sent as metadata."""
    lines = _read(setting, file).strip().splitlines()
    if len(lines) != 1:
        msg = f"{setting}: {file} has {len(lines)} lines; it must hold {what} and nothing else"
        raise ConfigError([msg])
    word = lines[0].decode("ascii", errors="replace")
    if not word.isascii() or not word.isprintable() or " " in word:
        msg = f"{setting}: {file} holds spaces, or what is not ASCII; it must hold {what} and nothing else"
        raise ConfigError([msg])
    return word


def _certificates(setting: str, file: Path | None) -> bytes | None:
    if file is None:
        return None
    data = _read(setting, file)
    if _CERTIFICATE not in data:
        msg = f"{setting}: {file} holds no certificate in PEM form"
        raise ConfigError([msg])
    return data


def _read(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        msg = f"{setting}: {file} cannot be read: {error.strerror}"
        raise ConfigError([msg]) from error
