"""How commands reach a running gateway."""

from pathlib import Path

from gateway.client.channel import Connection
from gateway.client.settings import ClientSettings
from gateway.client.tls import Tls


def opened_connection(target: str, settings: ClientSettings) -> Connection:
    """A connection as the settings say; to be closed. Raises `OSError` for a file that cannot be read."""
    return Connection(target, tls=tls_of(settings), api_key=_api_key(settings), token=_token(settings.token_file))


def tls_of(settings: ClientSettings) -> Tls | None:
    """What TLS is spoken with, if it is. Raises `OSError` for a file that cannot be read."""
    if not (settings.tls or settings.ca_file or settings.tls_certificate or settings.tls_server_name):
        return None
    return Tls.from_files(
        roots=settings.ca_file,
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        server_name=settings.tls_server_name,
    )


def _api_key(settings: ClientSettings) -> str:
    if settings.api_key_file is not None:
        return settings.api_key_file.read_text(encoding="utf-8").strip()
    return settings.api_key.get_secret_value() if settings.api_key is not None else ""


def _token(file: Path | None) -> str | None:
    return None if file is None else file.read_text(encoding="utf-8").strip()
